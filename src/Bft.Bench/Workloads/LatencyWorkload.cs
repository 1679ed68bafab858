using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench;

/// <summary>How long a message takes: alone, and in open loops at shares of saturation.</summary>
internal static class LatencyWorkload
{
    private const string Name = "latency";
    private static readonly double[] Shares = [0.1, 0.5, 0.8];

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        int size = options.Size;
        output.Doing($"{Name}: starting the cluster");
        await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken);
        await using LoadPair pair = await LoadPair.OpenAsync(cluster, new Payloads(options.Seed, size), cancellationToken);
        double saturation = await BenchRun.SaturationAsync(pair, options, output, cancellationToken);

        output.Doing($"{Name}: one message in flight");
        LatencyProbe alone = await RunAloneAsync(pair, options, cancellationToken);
        output.Measured(new BenchCase(Name, "one in flight", [.. ThroughputWorkload.Describe(cluster, size), .. Quantiles(alone)]));

        foreach (double share in Shares)
        {
            string load = string.Create(CultureInfo.InvariantCulture, $"{share:P0} load");
            output.Doing($"{Name}: {load}");
            (LatencyProbe latency, Sustained use) = await pair.RunOpenLoopAsync(saturation * share, options.WarmUp, options.Time, cancellationToken);
            output.Measured(new BenchCase(Name, load, [.. ThroughputWorkload.Describe(cluster, size), .. OpenLoop(saturation * share, latency), .. use.Costs()]));
        }
    }

    /// <summary>What every open loop says.</summary>
    public static IEnumerable<Figure> OpenLoop(double rate, LatencyProbe latency) => [new("ratePerSecond", "sent/s, on schedule", rate), .. Quantiles(latency)];

    private static IEnumerable<Figure> Quantiles(LatencyProbe latency) =>
    [
        new("messages", "messages measured", latency.Delivered.Count),
        .. Sustained.Latency("certified", "certified", latency.Certified),
        .. Sustained.Latency("delivered", "delivered", latency.Delivered),
    ];

    private static async Task<LatencyProbe> RunAloneAsync(LoadPair pair, BenchOptions options, CancellationToken cancellationToken)
    {
        long sentAt = 0;
        LatencyProbe NewProbe() => new(pair.Publisher.Sent, long.MaxValue / 2, _ => Volatile.Read(ref sentAt));
        LatencyProbe? probe = null;
        long measureAt = Monotonic.Now + (options.WarmUp.Ticks * TimeSpan.NanosecondsPerTick);
        long end = measureAt + (options.Time.Ticks * TimeSpan.NanosecondsPerTick);
        while (Monotonic.Now is long now && now < end)
        {
            if (probe is null && now >= measureAt)
            {
                probe = NewProbe();
                (pair.Publisher.Probe, pair.Receiver.Probe) = (probe, probe);
            }

            Volatile.Write(ref sentAt, Monotonic.Now);
            await pair.Publisher.SendOneAsync();

            // The next one waits for the receiver, too: alone is alone.
            while (pair.Receiver.Delivered < pair.Publisher.Sent || pair.Publisher.Certified < pair.Publisher.Sent)
            {
                await pair.DelayAsync(TimeSpan.FromMilliseconds(1), cancellationToken);
            }
        }

        (pair.Publisher.Probe, pair.Receiver.Probe) = (null, null);
        return probe ?? NewProbe();
    }
}
