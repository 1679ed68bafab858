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
        await using LoadGroup group = await LoadGroup.OpenAsync(cluster, new Payloads(options.Seed, size), cancellationToken);
        double saturation = await BenchRun.SaturationAsync(group, options, output, cancellationToken);

        output.Doing($"{Name}: one message in flight", options.RunTime);
        LatencyProbe alone = await RunAloneAsync(group, options, cancellationToken);
        output.Measured(new BenchCase(Name, "one in flight", [.. ClosedLoopWorkload.Describe(cluster, size), .. Quantiles(alone)]));

        foreach (double share in Shares)
        {
            string load = string.Create(CultureInfo.InvariantCulture, $"{share:P0} load");
            output.Doing($"{Name}: {load}", options.RunTime);
            (LatencyProbe latency, Sustained use) = await group.RunOpenLoopAsync(saturation * share, options.WarmUp, options.Time, cancellationToken);
            output.Measured(new BenchCase(Name, load, [.. ClosedLoopWorkload.Describe(cluster, size), .. OpenLoop(saturation * share, latency), .. use.Costs()]));
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

    /// <summary>One message in flight: the next one goes when the last is certified and delivered.</summary>
    public static async Task<LatencyProbe> RunAloneAsync(LoadGroup group, BenchOptions options, CancellationToken cancellationToken)
    {
        long sentAt = 0;
        LatencyProbe NewProbe() => new(group.Publisher.Sent, long.MaxValue / 2, _ => Volatile.Read(ref sentAt));
        LatencyProbe? probe = null;
        long measureAt = Monotonic.Now + (options.WarmUp.Ticks * TimeSpan.NanosecondsPerTick);
        long end = measureAt + (options.Time.Ticks * TimeSpan.NanosecondsPerTick);
        while (Monotonic.Now is long now && now < end)
        {
            if (probe is null && now >= measureAt)
            {
                probe = NewProbe();
                (group.Publisher.Probe, group.Receiver.Probe) = (probe, probe);
            }

            Volatile.Write(ref sentAt, Monotonic.Now);
            await group.Publisher.SendOneAsync();

            // The next one waits for the receiver, too: alone is alone.
            while (group.Receiver.Delivered < group.Publisher.Sent || group.Publisher.Certified < group.Publisher.Sent)
            {
                await group.DelayAsync(TimeSpan.FromMilliseconds(1), cancellationToken);
            }
        }

        (group.Publisher.Probe, group.Receiver.Probe) = (null, null);
        return probe ?? NewProbe();
    }
}
