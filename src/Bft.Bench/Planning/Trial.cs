using Bft.Bench.Load;
using Bft.Bench.Measuring;

namespace Bft.Bench.Planning;

/// <summary>What a cluster did in a second, and what that took of the processors. Rates are per second.</summary>
/// <param name="Batches">Certified.</param>
/// <param name="Bytes">Of their bodies.</param>
/// <param name="Messages">In them.</param>
/// <param name="Witness">Processor seconds of a witness, on average.</param>
/// <param name="Clients">Of publishers and receivers together.</param>
/// <param name="WireBytes">Sent by all to all.</param>
/// <param name="DiskBytes">Written by a witness, on average.</param>
internal sealed record Trial(double Batches, double Bytes, double Messages, double Witness, double Clients, double WireBytes, double DiskBytes)
{
    /// <summary>Processor seconds of a batch: a witness's and the clients'.</summary>
    private double PerBatch => (Witness + Clients) / Batches;

    /// <summary>Of runs of the same load, by what a batch took.</summary>
    public static Trial MedianOf(IEnumerable<Trial> trials)
    {
        Trial[] sorted = [.. trials.OrderBy(trial => trial.PerBatch)];
        return sorted[sorted.Length / 2];
    }

    /// <exception cref="LoadFailedException">Nothing was certified, or a process ended.</exception>
    public static Trial Of(Sustained run)
    {
        double seconds = run.Seconds;
        int witnesses = run.After.Witnesses.Count;
        double? witness = Enumerable.Range(0, witnesses).Average(run.CpuSecondsOf);
        double? clients = run.After.Client?.CpuSeconds - run.Before.Client?.CpuSeconds;
        if (run.After.BatchSizes.Count == 0 || witness is null || clients is null)
        {
            throw new LoadFailedException("While stages were measured nothing was certified, or a witness ended.");
        }

        double disk = run.After.Witnesses.Zip(run.Before.Witnesses).Sum(pair => (double)((pair.First?.WrittenBytes - pair.Second?.WrittenBytes) ?? 0)) / witnesses;
        return new Trial(
            run.After.BatchSizes.Count / seconds,
            (run.After.BodyBytes - run.Before.BodyBytes) / seconds,
            run.CertifiedPerSecond,
            witness.Value / seconds,
            clients.Value / seconds,
            ((run.After.WireBytes - run.Before.WireBytes) ?? 0) / seconds,
            disk / seconds);
    }
}

/// <summary>The processors' share in a time: what processes of ours used, and what nobody did.</summary>
/// <param name="Used">Cores.</param>
/// <param name="Idle">Cores.</param>
internal readonly record struct ProcessorUse(double Used, double Idle)
{
    /// <summary>Cores that ours had or could have had: others that run beside have the rest.</summary>
    public double Cores => Used + Idle;

    /// <summary>Of all processes of the run, while something runs.</summary>
    public static async Task<(T Result, ProcessorUse Use)> DuringAsync<T>(Func<double> used, Func<Task<T>> work)
    {
        (long begin, double usedBefore, double idleBefore) = (Monotonic.Now, used(), MachineTime.IdleSeconds);
        T result = await work();
        double seconds = (Monotonic.Now - begin) / 1e9;
        return (result, new ProcessorUse((used() - usedBefore) / seconds, (MachineTime.IdleSeconds - idleBefore) / seconds));
    }
}
