using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench.Floors;

/// <summary>The lines beside a throughput that say how far it is from what cannot be left out, measured right behind it on the same cores.</summary>
internal static class Floor
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(3);

    /// <summary>Nothing when the run does not say what it did.</summary>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(
        BenchCluster cluster, Sustained run, int publishers, int receivers, BenchOptions options, CancellationToken cancellationToken)
    {
        if (BatchWork.Of(run, receivers) is not { } work)
        {
            return [];
        }

        TimeSpan time = options.Time < TimeMax ? options.Time : TimeMax;
        double transport = await TransportFloor.MeasureAsync(work, publishers, cluster.Scratch, cluster.DirectoryOf, options.WarmUp, time, cancellationToken);
        double light = await SpeedOfLight.MeasureAsync(work, cluster.Scratch, TimeSpan.FromSeconds(0.5), time, cancellationToken);
        return
        [
            new("transportPerSecond", "the same bytes by gRPC, hashed and flushed (messages/s)", transport),
            new("ofTransport", "certified, of that", run.CertifiedPerSecond / transport, "P0"),
            new("lightPerSecond", "only hashes, copies, writes, signatures (messages/s)", light),
            new("ofLight", "certified, of that", run.CertifiedPerSecond / light, "P0"),
        ];
    }
}
