using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench;

/// <summary>How fast a receiver reads what was published before it came; nothing else goes on.</summary>
internal static class ReplayWorkload
{
    private const string Name = "replay";

    /// <summary>Well below what a witness keeps, so that all of it is still there. Unit: payload bytes.</summary>
    private const long BytesMax = 1L << 30;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing($"{Name}: publishing");
        await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken);
        Payloads payloads = new(options.Seed, options.Size);
        await using LoadGroup group = await LoadGroup.OpenAsync(cluster, payloads, cancellationToken);
        using (CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            Task sending = group.SendFastAsync(stop.Token);
            long end = Monotonic.Now + ((options.WarmUp + options.Time).Ticks * TimeSpan.NanosecondsPerTick);
            while (Monotonic.Now < end && group.Sent * options.Size < BytesMax)
            {
                await group.DelayAsync(Look, cancellationToken);
            }

            await stop.CancelAsync();
            await sending;
        }

        await group.WhenAllDeliveredAsync(cancellationToken);
        await cluster.WhenLevelAsync(group.Control, cancellationToken);

        output.Doing($"{Name}: reading");
        ProcessUsage? before = ProcessUsage.Of(Environment.ProcessId);
        long begin = Monotonic.Now;
        await using LoadReceiver late = await LoadGroup.ReceiveAsync(group.Control, payloads, cancellationToken);
        while (late.Delivered < group.Sent)
        {
            await await Task.WhenAny(Task.Delay(Look, cancellationToken), late.Failed);
        }

        double seconds = (Monotonic.Now - begin) / 1e9;
        double? used = ProcessUsage.Of(Environment.ProcessId)?.CpuSeconds - before?.CpuSeconds;
        output.Measured(new BenchCase(Name, "one receiver", [
            .. ClosedLoopWorkload.Describe(cluster, options.Size),
            new("messages", "messages", group.Sent),
            new("seconds", "from subscribing to the last message (s)", seconds, "N2"),
            new("deliveredPerSecond", "delivered/s", group.Sent / seconds),
            new("deliveredMegabytesPerSecond", "payload delivered (MB/s)", group.Sent / seconds * options.Size / 1e6, "N1"),
            .. used is { } cpu ? [new Figure("cpuSecondsPerMillionClients", "CPU s per million, receiver", cpu / (group.Sent / 1e6), "N2")] : Array.Empty<Figure>(),
        ]));
    }
}
