using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Peers;
using Bft.Bench.Results;

namespace Bft.Bench;

/// <summary>The same messages through Bft and through what people use today, in turn, each freshly started and alone: one publisher, one consumer, windows from 1 to 100,000 messages in flight, and one message alone.</summary>
internal static class PeersWorkload
{
    public const string Throughput = "throughput";
    public const string Latency = "latency";

    private const int WarmUpWindow = 1000;
    private static readonly int[] UsualSizes = [100, 1024];
    private static readonly int[] Windows = [1, 10, 100, 1000, 10_000, 100_000];

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        Peer[] peers = [.. await Peer.FindAsync(output, cancellationToken)];
        Peer bft = Peer.Bft(options.Witnesses);
        foreach (int size in options.Sizes.Count > 0 ? options.Sizes : UsualSizes)
        {
            Payloads payloads = new(options.Seed, size);
            Dictionary<Peer, Score> scores = [];
            string workload = $"peers, {ClosedLoopWorkload.SizeName(size)}";
            for (int round = 1; round <= options.Rounds; round++)
            {
                foreach (Peer contender in peers.Prepend(bft))
                {
                    scores.TryAdd(contender, new Score());
                    string turn = string.Create(CultureInfo.InvariantCulture, $"{workload}: round {round} of {options.Rounds}, {contender.Name}");
                    await MeasureAsync(contender, payloads, scores[contender], turn, options, output, cancellationToken);
                }
            }

            Figure[] setting = [new("payloadBytes", "payload (bytes)", size), new("rounds", "rounds", options.Rounds)];
            output.Measured(new BenchCase(workload, bft.Name, [new("witnesses", "witnesses (n)", options.Witnesses), .. setting, .. scores[bft].Figures(), .. peers.SelectMany(peer => scores[bft].RatiosTo(scores[peer], peer.Name, peer.Id))]));
            foreach (Peer peer in peers)
            {
                output.Measured(new BenchCase(workload, peer.Name, [.. setting, .. scores[peer].Figures()]));
            }
        }
    }

    /// <summary>One turn. A peer that fails at something is started anew for the rest; Bft may not fail.</summary>
    private static async Task MeasureAsync(Peer contender, Payloads payloads, Score score, string turn, BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        List<(string What, Func<IContender, Task> Run)> runs = [];
        if (options.Workloads.Contains(Throughput, StringComparer.Ordinal))
        {
            runs.AddRange(Windows.Select(window => (
                string.Create(CultureInfo.InvariantCulture, $"{window:N0} in flight"),
                (Func<IContender, Task>)(async running => score.Add(window, await ContenderRun.RateAsync(running, window, options.WarmUp, options.Time, cancellationToken))))));
        }

        if (options.Workloads.Contains(Latency, StringComparer.Ordinal))
        {
            runs.Add(("one alone", async running => score.Add(await ContenderRun.AloneAsync(running, options.WarmUp, options.Time, cancellationToken))));
        }

        IContender? started = null;
        try
        {
            foreach ((string what, Func<IContender, Task> run) in runs)
            {
                try
                {
                    if (started is null)
                    {
                        output.Doing($"{turn}: starting");
                        started = await contender.StartAsync(payloads, cancellationToken);
                        output.Doing($"{turn}: warming up", options.WarmUp);
                        await ContenderRun.RateAsync(started, WarmUpWindow, TimeSpan.Zero, options.WarmUp, cancellationToken);
                    }

                    output.Doing($"{turn}: {what}", options.RunTime);
                    await run(started);
                }
                catch (Exception error) when (contender.MayFail && !cancellationToken.IsCancellationRequested)
                {
                    output.Noted($"{turn}, {what}: no figure. {error.Message}");
                    await (started?.DisposeAsync() ?? ValueTask.CompletedTask);
                    started = null;
                }
            }
        }
        finally
        {
            await (started?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }
}
