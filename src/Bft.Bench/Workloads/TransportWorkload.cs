using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench;

/// <summary>Unix sockets against loopback TCP (with TLS, as it always is), by message size: two clusters that differ in nothing else, measured in turn, and the size from which on the sockets are ahead.</summary>
internal static class TransportWorkload
{
    private const string Name = "transport";
    private const double Giga = 1e9;
    private static readonly int[] UsualSizes = [100, 1024, 16 * 1024, 64 * 1024, 1024 * 1024];
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(500);

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        List<(int Size, Side Tcp, Side Unix)> measured = [];
        foreach (int size in (options.Sizes.Count > 0 ? options.Sizes : UsualSizes).Order())
        {
            output.Doing($"{Name}: {ClosedLoopWorkload.SizeName(size)}, starting two clusters");
            await using Side tcp = await Side.OpenAsync(hasSockets: false, size, options, cancellationToken);
            await using Side unix = await Side.OpenAsync(hasSockets: true, size, options, cancellationToken);
            for (int round = 0; round < options.Rounds; round++)
            {
                BenchOptions part = options with { Time = options.Time / options.Rounds, WarmUp = round == 0 ? options.WarmUp : Settling };
                output.Doing(string.Create(CultureInfo.InvariantCulture, $"{Name}: {ClosedLoopWorkload.SizeName(size)}, round {round + 1} of {options.Rounds}"), 2 * (part.RunTime + Settling + part.Time));
                await tcp.MeasureAsync(part, cancellationToken);
                await unix.MeasureAsync(part, cancellationToken);
            }

            measured.Add((size, tcp, unix));
            output.Measured(new BenchCase(Name, ClosedLoopWorkload.SizeName(size), [.. ClosedLoopWorkload.Describe(tcp.Cluster, size), .. Describe(tcp, unix)]));
        }

        output.Measured(new BenchCase(Name, "ahead from", [
            .. Crossing("Megabytes", "Unix sockets: ahead in MB/s from (bytes)", one => one.Unix.Rate > one.Tcp.Rate),
            .. Crossing("Cpu", "Unix sockets: ahead in CPU from (bytes)", one => one.Unix.Cpu < one.Tcp.Cpu),
            .. Crossing("Latency", "Unix sockets: ahead in latency from (bytes)", one => one.Unix.Alone < one.Tcp.Alone),
        ]));

        // From the smallest size on from which it is so for all that were measured; absent when it is not so for the largest.
        IEnumerable<Figure> Crossing(string figure, string label, Func<(int Size, Side Tcp, Side Unix), bool> isAhead) =>
            measured.AsEnumerable().Reverse().TakeWhile(isAhead).TakeLast(1).Select(one => new Figure($"crossing{figure}Bytes", label, one.Size));
    }

    private static IEnumerable<Figure> Describe(Side tcp, Side unix) =>
    [
        new("tcpMegabytesPerSecond", "TLS over loopback: payload delivered (MB/s, median)", tcp.Rate, "N1"),
        new("unixMegabytesPerSecond", "Unix sockets: the same", unix.Rate, "N1"),
        new("megabytesRatio", "Unix sockets / TLS, MB/s", unix.Rate / tcp.Rate, "N2"),
        new("tcpCpuSecondsPerGigabyte", "TLS over loopback: CPU s per GB, all parties (median)", tcp.Cpu, "N2"),
        new("unixCpuSecondsPerGigabyte", "Unix sockets: the same", unix.Cpu, "N2"),
        new("cpuRatio", "Unix sockets / TLS, CPU", unix.Cpu / tcp.Cpu, "N2"),
        new("tcpCertifiedMillisecondsP50", "TLS over loopback: certified, one in flight (ms, p50, median)", tcp.Alone, "N2"),
        new("unixCertifiedMillisecondsP50", "Unix sockets: the same", unix.Alone, "N2"),
        new("latencyRatio", "Unix sockets / TLS, latency", unix.Alone / tcp.Alone, "N2"),
    ];

    /// <summary>One of the two clusters, and what its rounds gave.</summary>
    private sealed class Side(BenchCluster cluster, LoadGroup group, int size) : IAsyncDisposable
    {
        private readonly List<double> _rates = [];
        private readonly List<double> _costs = [];
        private readonly List<double> _alone = [];

        public BenchCluster Cluster => cluster;

        /// <summary>Unit: MB of payload per second.</summary>
        public double Rate => FaultyWorkload.Median(_rates);

        /// <summary>Unit: processor seconds per GB.</summary>
        public double Cpu => FaultyWorkload.Median(_costs);

        /// <summary>From sending to the certificate, one message in flight. Unit: ms.</summary>
        public double Alone => FaultyWorkload.Median(_alone);

        public static async Task<Side> OpenAsync(bool hasSockets, int size, BenchOptions options, CancellationToken cancellationToken)
        {
            BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken, hasSockets: hasSockets);
            try
            {
                return new Side(cluster, await LoadGroup.OpenAsync(cluster, new Payloads(options.Seed, size), cancellationToken), size);
            }
            catch
            {
                await cluster.DisposeAsync();
                throw;
            }
        }

        public async Task MeasureAsync(BenchOptions options, CancellationToken cancellationToken)
        {
            Sustained run = await group.RunFastAsync(options.WarmUp, options.Time, cancellationToken);
            double used = (run.After.Client?.CpuSeconds - run.Before.Client?.CpuSeconds ?? double.NaN) + Enumerable.Range(0, cluster.Count).Sum(witness => run.CpuSecondsOf(witness) ?? double.NaN);
            _rates.Add(run.DeliveredPerSecond * size / 1e6);
            _costs.Add(used / (run.DeliveredPerSecond * run.Seconds * size / Giga));
            LatencyProbe alone = await LatencyWorkload.RunAloneAsync(group, options with { WarmUp = Settling }, cancellationToken);
            _alone.Add(alone.Certified.Quantile(0.5) / 1e6);
        }

        public async ValueTask DisposeAsync()
        {
            await group.DisposeAsync();
            await cluster.DisposeAsync();
        }
    }
}
