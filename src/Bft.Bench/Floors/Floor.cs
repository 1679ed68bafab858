using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench.Floors;

/// <summary>The lines beside a throughput that say how far it is from what cannot be left out, measured right behind it on the same cores.</summary>
internal static class Floor
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LightWarmUp = TimeSpan.FromSeconds(0.5);

    /// <summary>How long <see cref="MeasureAsync"/> takes, about.</summary>
    public static TimeSpan TimeOf(BenchOptions options) => options.WarmUp + LightWarmUp + (2 * Counted(options));

    /// <summary>Nothing when the run does not say what it did.</summary>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(
        BenchCluster cluster, Sustained run, int publishers, int receivers, BenchOptions options, CancellationToken cancellationToken)
    {
        if (BatchWork.Of(run, receivers) is not { } work)
        {
            return [];
        }

        TimeSpan time = Counted(options);
        FloorRate transport = await TransportFloor.MeasureAsync(work, publishers, cluster.Scratch, cluster.DirectoryOf, options.WarmUp, time, cancellationToken);
        FloorRate light = await SpeedOfLight.MeasureAsync(work, cluster.Scratch, LightWarmUp, time, cancellationToken);
        return [.. Lines("transport", "transport floor", transport, run), .. Lines("light", "speed of light", light, run)];
    }

    private static TimeSpan Counted(BenchOptions options) => options.Time < TimeMax ? options.Time : TimeMax;

    private static IEnumerable<Figure> Lines(string name, string label, FloorRate floor, Sustained run)
    {
        string share = string.Concat("of", name[..1].ToUpperInvariant(), name.AsSpan(1));
        yield return new($"{name}PerSecond", $"{label} (messages/s)", floor.PerSecond);
        yield return new(share, $"certified, of the {label}", run.CertifiedPerSecond / floor.PerSecond, "P0");
        yield return new($"{name}CpuSecondsPerMillion", $"CPU s per million, {label}", floor.CpuSecondsPerMillion, "N2");
        if (run.CpuSecondsPerMillion is { } used)
        {
            yield return new($"{share}Cpu", $"CPU of the {label}, of the run's", floor.CpuSecondsPerMillion / used, "P0");
        }
    }
}
