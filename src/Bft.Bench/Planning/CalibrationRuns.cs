using Bft.Bench.Floors;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;
using Bft.Protocol.Model;

namespace Bft.Bench.Planning;

/// <summary>The short runs through real clusters that a calibration is made from. Programs that have just started compile, and what runs beside disturbs: clusters are warmed up, and of several parts of a run the median counts.</summary>
internal sealed record CalibrationRuns
{
    /// <summary>Witnesses of all runs but one.</summary>
    public const int Few = 4;

    /// <summary>Witnesses of <see cref="Wide"/>.</summary>
    public const int More = 7;

    /// <summary>Receivers of <see cref="Fanned"/>; all others have one.</summary>
    public const int Fan = 3;

    /// <summary>Of the payloads of all runs but <see cref="Heavy"/> and <see cref="Fanned"/>. Unit: bytes.</summary>
    public const int SmallSize = 100;

    private const int LargeSize = 16 * 1024;
    private const double LightRate = 5000; // batches of a few KB, one after the other
    private const int Piece = 256 * 1024;
    private const int SmallPiece = 512;
    private const int Parts = 3;
    private const double FlushesPerPiece = 0.1; // pieces count when they are flushed
    private static readonly TimeSpan Fill = TimeSpan.FromSeconds(1.5); // the publisher's window, in a closed loop
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Counted = TimeSpan.FromSeconds(1.2);

    /// <summary>Full batches of large messages.</summary>
    public required Trial Heavy { get; init; }

    /// <summary>The same, to more receivers.</summary>
    public required Trial Fanned { get; init; }

    /// <summary>Full batches of small messages.</summary>
    public required Trial Many { get; init; }

    /// <summary>Small batches.</summary>
    public required Trial Light { get; init; }

    /// <summary>The same with more witnesses.</summary>
    public required Trial Wide { get; init; }

    /// <summary>Share of the processors that a closed loop kept busy, of what it could have had.</summary>
    public required double Busy { get; init; }

    /// <summary>One message in flight, at the median. Unit: seconds.</summary>
    public required double Certified { get; init; }

    /// <inheritdoc cref="Certified"/>
    public required double Delivered { get; init; }

    /// <summary>From process to process, without a protocol: processor time of a frame, and what each byte adds. Unit: seconds.</summary>
    public required (double PerFrame, double PerByte) Cross { get; init; }

    /// <summary>Of a commit: until it is durable, and what each byte adds. Unit: seconds.</summary>
    public required (double Flush, double PerByte) Journal { get; init; }

    public static async Task<CalibrationRuns> MakeAsync(IBenchOutput output, CancellationToken cancellationToken)
    {
        CalibrationRuns few = await FewAsync(output, cancellationToken);
        return few with { Wide = await WideAsync(output, cancellationToken) };
    }

    private static async Task<CalibrationRuns> FewAsync(IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing("starting four witnesses");
        await using BenchCluster cluster = await BenchCluster.StartAsync(Few, hasSlowLinks: false, cancellationToken);
        Trial heavy;
        await using (LoadGroup group = await OpenAsync(cluster, LargeSize, 1, cancellationToken))
        {
            output.Doing("warming up");
            await group.WarmUpAsync(cancellationToken);
            output.Doing("16 KiB, as fast as they go", Fill + (Parts * Counted));
            heavy = await FastAsync(group, cancellationToken);
        }

        output.Doing("16 KiB, three receivers", Fill + (Parts * Counted));
        Trial fanned;
        await using (LoadGroup group = await OpenAsync(cluster, LargeSize, Fan, cancellationToken))
        {
            fanned = await FastAsync(group, cancellationToken);
        }

        await using LoadGroup small = await OpenAsync(cluster, SmallSize, 1, cancellationToken);
        output.Doing("100 B, as fast as they go", Fill + (Parts * Counted));
        (Trial many, ProcessorUse use) = await ProcessorUse.DuringAsync(cluster.CpuSeconds, () => FastAsync(small, cancellationToken));
        output.Doing("100 B, small batches", Parts * (Settle + Counted));
        Trial light = await LightAsync(small, cancellationToken);
        output.Doing("100 B, one in flight", Settle + Counted);
        LatencyProbe alone = await LatencyWorkload.RunAloneAsync(small, new BenchOptions { Workloads = [], WarmUp = Settle, Time = Counted }, cancellationToken);

        output.Doing("the same bytes without a protocol", 4 * (Settle + Counted));
        double large = await CrossAsync(cluster, Piece, cancellationToken);
        double little = await CrossAsync(cluster, SmallPiece, cancellationToken);
        double perByte = Math.Max(0, large - little) / (Piece - SmallPiece);
        return new CalibrationRuns
        {
            Heavy = heavy,
            Fanned = fanned,
            Many = many,
            Light = light,
            Wide = light,
            Busy = Math.Clamp(use.Used / use.Cores, 0.1, 1),
            Certified = alone.Certified.Quantile(0.5) / 1e9,
            Delivered = alone.Delivered.Quantile(0.5) / 1e9,
            Cross = (Math.Max(0, little - (SmallPiece * perByte)), perByte),
            Journal = StageTimer.Journal(Path.Combine(cluster.Scratch, "stages")),
        };
    }

    private static async Task<Trial> WideAsync(IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing("starting seven witnesses");
        await using BenchCluster cluster = await BenchCluster.StartAsync(More, hasSlowLinks: false, cancellationToken);
        await using LoadGroup group = await OpenAsync(cluster, SmallSize, 1, cancellationToken);
        output.Doing("warming up");
        await group.WarmUpAsync(cancellationToken);
        output.Doing("100 B, seven witnesses", Parts * (Settle + Counted));
        return await LightAsync(group, cancellationToken);
    }

    private static Task<LoadGroup> OpenAsync(BenchCluster cluster, int size, int receivers, CancellationToken cancellationToken) =>
        LoadGroup.OpenAsync(cluster, new Payloads(1, size), cancellationToken, receivers: receivers, topic: new Topic($"calibration-{size}-{receivers}"));

    /// <summary>The median of the parts: what is under way at the end of one was worked on in it, and counts in the next.</summary>
    private static async Task<Trial> FastAsync(LoadGroup group, CancellationToken cancellationToken)
    {
        IReadOnlyList<Sustained> parts = await group.RunFastAsync(Fill, Counted, Parts, cancellationToken);
        await group.Cluster.WhenLevelAsync(group.Control, cancellationToken);
        return Trial.MedianOf(parts.Select(Trial.Of));
    }

    private static async Task<Trial> LightAsync(LoadGroup group, CancellationToken cancellationToken)
    {
        List<Trial> parts = [];
        for (int part = 0; part < Parts; part++)
        {
            parts.Add(Trial.Of((await group.RunOpenLoopAsync(LightRate, Settle, Counted, cancellationToken)).Use));
        }

        return Trial.MedianOf(parts);
    }

    /// <summary>Processor seconds to take a piece from one process to another: with a receiver, less without one, less a hash pass.</summary>
    private static async Task<double> CrossAsync(BenchCluster cluster, int bytes, CancellationToken cancellationToken)
    {
        double with = await MeasureAsync(1);
        double without = await MeasureAsync(0);
        return Math.Max(0, with - without - (bytes * StageTimer.HashPerByte()));

        async Task<double> MeasureAsync(int receivers)
        {
            BatchWork work = new(1, receivers, 1, bytes, 0, 0, FlushesPerPiece, 0);
            return (await TransportFloor.MeasureAsync(work, 1, Path.Combine(cluster.Scratch, $"cross-{bytes}-{receivers}"), cluster.DirectoryOf, Settle, Counted, cancellationToken)).CpuSecondsPerMillion / 1e6;
        }
    }
}
