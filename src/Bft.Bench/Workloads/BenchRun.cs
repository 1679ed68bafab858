using Bft.Bench.Faults;
using Bft.Bench.Load;
using Bft.Bench.Results;

namespace Bft.Bench;

/// <summary>Measures. Each workload starts clusters of its own and leaves nothing behind.</summary>
public static class BenchRun
{
    private static readonly (string Name, Func<BenchOptions, IBenchOutput, CancellationToken, Task> Run)[] All =
    [
        ("throughput", ClosedLoopWorkload.ThroughputAsync),
        ("latency", LatencyWorkload.RunAsync),
        ("faulty", FaultyWorkload.RunAsync),
        ("catching-up", CatchingUpWorkload.RunAsync),
        ("fanout", ClosedLoopWorkload.FanoutAsync),
        ("publishers", ClosedLoopWorkload.PublishersAsync),
        ("size", ClosedLoopWorkload.SizeAsync),
        ("replay", ReplayWorkload.RunAsync),
        ("recovery", RecoveryWorkload.RunAsync),
        ("receipt", ReceiptWorkload.RunAsync),
        ("transport", TransportWorkload.RunAsync),
        ("idle-streams", IdleStreamsWorkload.RunAsync),
    ];

    public static IReadOnlyList<string> Workloads { get; } = [.. All.Select(workload => workload.Name)];

    /// <summary>Those that can go through peers, too.</summary>
    public static IReadOnlyList<string> WorkloadsOfPeers { get; } = [PeersWorkload.Throughput, PeersWorkload.Latency];

    public static IReadOnlyList<string> Faults { get; } = [.. Fault.All.Select(fault => fault.Name)];

    /// <exception cref="LoadFailedException">The cluster lost, doubled or changed a message, or came to a halt.</exception>
    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(output);
        if (options.HasPeers)
        {
            await PeersWorkload.RunAsync(options, output, cancellationToken);
            return;
        }

        foreach (string name in options.Workloads)
        {
            await All.Single(workload => workload.Name == name).Run(options, output, cancellationToken);
        }
    }

    /// <summary>The rate given, or what the cluster takes in a closed loop.</summary>
    internal static async Task<double> SaturationAsync(LoadGroup group, BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        if (options.Rate is { } given)
        {
            // Open loops begin with compiled code, too.
            output.Doing("warming up", options.WarmUp);
            await group.RunOpenLoopAsync(given / 10, TimeSpan.Zero, options.WarmUp, cancellationToken);
            return given;
        }

        output.Doing("measuring saturation", options.RunTime);
        Sustained fast = await group.RunFastAsync(options.WarmUp, options.Time, cancellationToken);
        await group.Cluster.WhenLevelAsync(group.Control, cancellationToken);
        return Math.Min(fast.CertifiedPerSecond, fast.DeliveredPerSecond);
    }
}
