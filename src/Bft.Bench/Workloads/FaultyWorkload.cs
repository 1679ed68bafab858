using System.Globalization;
using Bft.Bench.Faults;
using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench;

/// <summary>What one faulty witness costs the others: open loops at half of saturation, with the fault and without, in turn.</summary>
/// <remarks>The run without the fault burns the processor time by which the faulty party exceeded the honest witness in whose place it was: a fault is to be judged for what it does, not for the processor it shares with the rest here.</remarks>
internal static class FaultyWorkload
{
    private const string Name = "faulty";
    private const double Load = 0.5;
    private static readonly TimeSpan LevelTime = TimeSpan.FromMinutes(10);

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        foreach (Fault fault in options.Faults.Select(name => Fault.All.Single(fault => fault.Name == name)))
        {
            output.Doing($"{Name}: {fault.Name}");
            await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: true, cancellationToken);
            await using LoadGroup group = await LoadGroup.OpenAsync(cluster, new Payloads(options.Seed, options.Size), cancellationToken);
            double saturation = await BenchRun.SaturationAsync(group, options, output, cancellationToken);
            output.Measured(await MeasureAsync(fault, group, saturation * Load, options, output, cancellationToken));
        }
    }

    private static async Task<BenchCase> MeasureAsync(Fault fault, LoadGroup group, double rate, BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        BenchCluster cluster = group.Cluster;
        List<Round> rounds = [];

        // Not counted: says what the honest witness uses, of which only the excess is burnt.
        output.Doing($"{Name}: {fault.Name}, a run before the first", options.RunTime);
        double honestShare = OddShare((await group.RunOpenLoopAsync(rate, options.WarmUp, options.Time, cancellationToken)).Use, cluster);
        for (int round = 1; round <= options.Rounds; round++)
        {
            output.Doing(string.Create(CultureInfo.InvariantCulture, $"{Name}: {fault.Name}, round {round} of {options.Rounds}, with the fault"), options.RunTime);
            await fault.BeginAsync(cluster, cancellationToken);
            (LatencyProbe faulty, Sustained faultyUse) = await group.RunOpenLoopAsync(rate, options.WarmUp, options.Time, cancellationToken);
            await fault.EndAsync(cluster, cancellationToken);
            double faultyShare = OddShare(faultyUse, cluster);

            output.Doing(string.Create(CultureInfo.InvariantCulture, $"{Name}: {fault.Name}, round {round} of {options.Rounds}, without"), options.RunTime);
            await LevelAsync(group, cancellationToken);
            double burn = Math.Max(0, faultyShare - honestShare);
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task burning = burn > 0.01 ? CpuBurner.RunAsync(burn, stop.Token) : Task.CompletedTask;
            (LatencyProbe free, Sustained freeUse) = await group.RunOpenLoopAsync(rate, options.WarmUp, options.Time, cancellationToken);
            await stop.CancelAsync();
            await burning;
            honestShare = OddShare(freeUse, cluster);
            rounds.Add(new Round(faulty, free, faultyShare, burn));
        }

        return new BenchCase(Name, fault.Name, [.. ClosedLoopWorkload.Describe(cluster, options.Size), .. Describe(rounds, rate)]);
    }

    /// <summary>Processors that the odd party used: seconds per second. 0 for a dead one.</summary>
    private static double OddShare(Sustained use, BenchCluster cluster) => (use.CpuSecondsOf(cluster.Odd) ?? 0) / use.Seconds;

    private static async Task LevelAsync(LoadGroup group, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(LevelTime);
        try
        {
            await group.Cluster.WhenLevelAsync(group.Control, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LoadFailedException($"The witness that had been faulty has not caught up, or is still banned, after {LevelTime.TotalMinutes:0} minutes.");
        }
    }

    private static IEnumerable<Figure> Describe(List<Round> rounds, double rate)
    {
        yield return new("rounds", "rounds", rounds.Count);
        yield return new("ratePerSecond", "sent/s, on schedule", rate);

        // A run that did not deliver all, in order and unchanged, has ended with an error before it comes here.
        yield return new("deliveredShare", "delivered, of all sent", 1, "P0");
        foreach ((string name, string label, Func<LatencyProbe, Histogram> of) in new (string, string, Func<LatencyProbe, Histogram>)[] { ("certified", "certified", probe => probe.Certified), ("delivered", "delivered", probe => probe.Delivered) })
        {
            foreach ((string point, string pointLabel, double share) in new[] { ("P50", "p50", 0.5), ("P99", "p99", 0.99) })
            {
                double free = Median(rounds.Select(round => of(round.Free).Quantile(share) / 1e6));
                double faulty = Median(rounds.Select(round => of(round.Faulty).Quantile(share) / 1e6));
                yield return new($"{name}Milliseconds{point}WithoutFault", $"{label} {pointLabel} without the fault (ms, median)", free, "N2");
                yield return new($"{name}Milliseconds{point}WithFault", $"{label} {pointLabel} with the fault (ms, median)", faulty, "N2");
                yield return new($"{name}Ratio{point}", $"{label} {pointLabel}, ratio of the medians", faulty / free, "N2");
            }

            yield return new($"{name}MillisecondsMaxWithFault", $"{label} max with the fault (ms)", rounds.Max(round => of(round.Faulty).Max) / 1e6, "N1");
            yield return new($"{name}MillisecondsMaxWithoutFault", $"{label} max without the fault (ms)", rounds.Max(round => of(round.Free).Max) / 1e6, "N1");
        }

        yield return new("faultyProcessors", "processors that the faulty party used (median)", Median(rounds.Select(round => round.FaultyShare)), "N2");
        yield return new("burntProcessors", "processors burnt without the fault (median)", Median(rounds.Select(round => round.Burnt)), "N2");
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private sealed record Round(LatencyProbe Faulty, LatencyProbe Free, double FaultyShare, double Burnt);
}
