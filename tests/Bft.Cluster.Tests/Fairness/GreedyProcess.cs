using System.Diagnostics;
using System.Globalization;
using Bft.Cluster.Tests.Support;
using Bft.Protocol.Model;

namespace Bft.Cluster.Tests.Fairness;

/// <summary>Publishers that always want more, in a process of their own.</summary>
internal sealed class GreedyProcess : IAsyncDisposable
{
    public const int MessageBytes = 1024;
    private readonly Process _process;

    /// <param name="cluster">Where they publish.</param>
    /// <param name="topic">In what.</param>
    /// <param name="batchBytes">Of each batch. Unit: bytes.</param>
    /// <param name="inFlight">Batches that each has not certified yet.</param>
    /// <param name="nice">Of the process: below others when the processor is what is short.</param>
    /// <param name="clients">Who they are.</param>
    public GreedyProcess(ProcessCluster cluster, Topic topic, int batchBytes, int inFlight, int nice, params string[] clients)
    {
        string[] arguments =
        [
            "-n", $"{nice}", Path.Combine(AppContext.BaseDirectory, "greedy"), cluster.ClusterPath, topic.Name, $"{MessageBytes}", $"{batchBytes}", $"{inFlight}", .. clients,
        ];
        _process = Process.Start(new ProcessStartInfo("nice", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }

    /// <summary>Messages that each of them had certified by now.</summary>
    public async Task<long[]> CertifiedAsync()
    {
        await _process.StandardInput.WriteLineAsync();
        await _process.StandardInput.FlushAsync();
        string? line = await _process.StandardOutput.ReadLineAsync(ProcessCluster.Deadline);
        return [.. (line ?? throw new InvalidOperationException("The greedy publishers ended.")).Split(' ').Select(count => long.Parse(count, CultureInfo.InvariantCulture))];
    }

    /// <summary>Messages per second of each, from when all of them are going until the time is over.</summary>
    public async Task<double[]> RatesAsync(TimeSpan time)
    {
        await Wait.UntilAsync(async () => (await CertifiedAsync()).All(count => count > 0), () => "every greedy publisher has something certified");
        long[] before = await CertifiedAsync();
        long begun = Stopwatch.GetTimestamp();
        await Wait.PassAsync(time);
        long[] after = await CertifiedAsync();
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return [.. after.Zip(before, (late, early) => (late - early) / seconds)];
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
