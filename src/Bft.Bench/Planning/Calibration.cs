using Bft.Bench.Floors;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Bench.Planning;

/// <summary>Measures <see cref="StageCosts"/> on this machine in some half a minute: the stages that can be had alone, and short runs through real clusters for what a batch, a byte and a message cost each kind of process in all.</summary>
public static class Calibration
{
    private const int SmallSize = 100;
    private const int LargeSize = 16 * 1024;
    private const double LightRate = 5000; // 100 B: batches of a few KB, one after the other
    private const int Few = 4; // witnesses
    private const int More = 7;
    private const int Fanned = 3; // receivers
    private const int Piece = 256 * 1024;
    private const int SmallPiece = 512;
    private const double FlushesPerPiece = 0.1; // pieces count when they are flushed
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(0.7);
    private static readonly TimeSpan Counted = TimeSpan.FromSeconds(2);

    /// <exception cref="LoadFailedException">A cluster came to a halt, or hardly moved.</exception>
    public static async Task<StageCosts> MeasureAsync(IBenchOutput output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        (Trial light, Trial many, Trial heavy, Trial fanned, double busy, double certified, double delivered, double perFrame, double perByte, double flush, double writePerByte) =
            await FewAsync(output, cancellationToken);
        Trial wide = await WideAsync(output, cancellationToken);

        foreach (Trial t in new[] { light, many, heavy, fanned, wide }) { Console.Error.WriteLine($"{t}"); }
        Console.Error.WriteLine($"busy {busy} certified {certified} delivered {delivered} frame {perFrame} byte {perByte} flush {flush} write {writePerByte}");
        output.Doing("hashing and signing");
        double hash = StageTimer.HashPerByte();
        (double sign, double verify) = StageTimer.Signatures();

        // What two more receivers cost says what one does; the rest of the clients' process is the publisher's.
        double perBatch(Trial trial, double cpu) => cpu / trial.Batches;
        double receiverShare = Share((perBatch(fanned, fanned.Clients) - perBatch(heavy, heavy.Clients)) / (Fanned - 1) / perBatch(heavy, heavy.Clients), 0.8);
        double serveShare = Share((perBatch(fanned, fanned.Witness) - perBatch(heavy, heavy.Witness)) / (Fanned - 1) / perBatch(heavy, heavy.Witness), 1.0 / Few);
        ProcessWork clients = WorkFit.Of(light, heavy, many, trial => trial.Clients);
        ProcessWork witness = WorkFit.Of(light, heavy, many, trial => trial.Witness);
        ProcessWork publisher = clients.Times(1 - receiverShare);
        double sent = Math.Min(perByte / 2 * Few, publisher.PerByte);

        // A batch at more witnesses: what a further one adds for each of the others.
        double witnessPerPeer = Slope(perBatch(light, light.Witness), perBatch(wide, wide.Witness), witness.PerBatch / (Few - 1));
        double publisherPerPeer = Slope(perBatch(light, light.Clients), perBatch(wide, wide.Clients), publisher.PerBatch / Few);

        // Copies cross n times and once for each receiver; acks, certificates and tips go between all pairs.
        // What a run at its limit sends twice is not in them, so the lower of two counts.
        double wirePerByte = Math.Max(1, Math.Min(heavy.WireBytes / heavy.Bytes, many.WireBytes / many.Bytes) / (Few + 1));
        double pairs = (Few * (Few - 1)) + (2 * Few);
        double diskPerByte = Math.Max(1, Math.Min(heavy.DiskBytes / heavy.Bytes, many.DiskBytes / many.Bytes));
        StageCosts costs = new()
        {
            Machine = $"{Machine.Here().Processor}, {Machine.Here().Date}",
            HashPerByte = hash,
            Sign = sign,
            Verify = verify,
            Flush = flush,
            WritePerByte = writePerByte,
            CrossPerFrame = perFrame,
            CrossPerByte = 2 * sent / Few,
            Publisher = new ProcessWork(publisher.PerBatch - (publisherPerPeer * Few), publisherPerPeer, publisher.PerByte - sent, publisher.PerMessage),
            Witness = witness.Times(1 - serveShare) with { PerBatch = (witness.PerBatch * (1 - serveShare)) - Math.Min(witnessPerPeer * (Few - 1), witness.PerBatch * (1 - serveShare) * 0.9), PerPeer = Math.Min(witnessPerPeer, witness.PerBatch * (1 - serveShare) * 0.9 / (Few - 1)) },
            Serve = witness.Times(serveShare * Few),
            Receiver = clients.Times(receiverShare),
            BeforeShare = Math.Clamp(certified / delivered, 0.3, 0.9),
            CertifiedRest = 0,
            DeliveredRest = 0,
            ProcessorShare = busy,
            WireBytesPerByte = wirePerByte,
            WireBytesPerPair = Math.Max(0, (light.WireBytes - (light.Bytes * wirePerByte * (Few + 1))) / light.Batches / pairs),
            DiskBytesPerByte = diskPerByte,
            DiskBytesPerBatch = Math.Max(0, (light.DiskBytes - (light.Bytes * diskPerByte)) / light.Batches),
        };
        BatchTimes alone = new(costs, Here(SmallSize, Few, Environment.ProcessorCount), 1);
        costs = costs with { CertifiedRest = Math.Max(0, certified - alone.Certified()), DeliveredRest = Math.Max(0, delivered - alone.Delivered()) };
        return costs.WhyIllegal() is { } reason
            ? throw new LoadFailedException($"This machine was too busy for its stages to be measured ({reason}) Try again when it does less.")
            : costs;
    }

    /// <summary>A cluster such as a bench starts on this machine.</summary>
    internal static Deployment Here(int size, int witnesses, double cores) => new()
    {
        Witnesses = new CommitteeSize(witnesses),
        Size = size,
        Link = Link.Presets[0],
        Cores = cores,
        IsShared = true,
    };

    private static async Task<(Trial Light, Trial Many, Trial Heavy, Trial Fanned, double Busy, double Certified, double Delivered, double PerFrame, double PerByte, double Flush, double WritePerByte)> FewAsync(
        IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing("starting four witnesses");
        await using BenchCluster cluster = await BenchCluster.StartAsync(Few, hasSlowLinks: false, cancellationToken);
        Trial many;
        Trial light;
        ProcessorUse use;
        LatencyProbe alone;
        await using (LoadGroup group = await OpenAsync(cluster, SmallSize, 1, cancellationToken))
        {
            output.Doing("100 B, as fast as they go", Warm + Counted);
            await group.RunFastAsync(TimeSpan.Zero, Warm, cancellationToken);
            (Sustained fast, use) = await ProcessorUse.DuringAsync(cluster.CpuSeconds, () => group.RunFastAsync(Settle, Counted, cancellationToken));
            many = Trial.Of(fast);
            await cluster.WhenLevelAsync(group.Control, cancellationToken);
            output.Doing("100 B, small batches", Settle + Counted);
            light = Trial.Of((await group.RunOpenLoopAsync(LightRate, Settle, Counted, cancellationToken)).Use);
            output.Doing("100 B, one in flight", Counted);
            alone = await LatencyWorkload.RunAloneAsync(group, new BenchOptions { Workloads = [], WarmUp = Settle, Time = Counted }, cancellationToken);
        }

        output.Doing("16 KiB, one receiver, then three", 2 * (Settle + Counted));
        (Trial heavy, Trial fanned) = (await FastAsync(1), await FastAsync(Fanned));

        output.Doing("the same bytes without a protocol", 2 * (Settle + Counted));
        double crossed = await CrossAsync(cluster, Piece, cancellationToken);
        double small = await CrossAsync(cluster, SmallPiece, cancellationToken);
        (double flush, double writePerByte) = StageTimer.Journal(Path.Combine(cluster.Scratch, "stages"));
        double perByte = Math.Max(0, crossed - small) / (Piece - SmallPiece);
        return (light, many, heavy, fanned, Math.Clamp(use.Used / use.Cores, 0.1, 1), alone.Certified.Quantile(0.5) / 1e9, alone.Delivered.Quantile(0.5) / 1e9, Math.Max(0, small - (SmallPiece * perByte)), perByte, flush, writePerByte);

        async Task<Trial> FastAsync(int receivers)
        {
            await using LoadGroup group = await OpenAsync(cluster, LargeSize, receivers, cancellationToken);
            Trial trial = Trial.Of(await group.RunFastAsync(Settle, Counted, cancellationToken));
            await cluster.WhenLevelAsync(group.Control, cancellationToken);
            return trial;
        }
    }

    private static async Task<Trial> WideAsync(IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing("starting seven witnesses");
        await using BenchCluster cluster = await BenchCluster.StartAsync(More, hasSlowLinks: false, cancellationToken);
        await using LoadGroup group = await OpenAsync(cluster, SmallSize, 1, cancellationToken);
        output.Doing("100 B, seven witnesses", Warm + Counted);
        await group.RunFastAsync(TimeSpan.Zero, Warm, cancellationToken);
        return Trial.Of((await group.RunOpenLoopAsync(LightRate, Settle, Counted, cancellationToken)).Use);
    }

    private static Task<LoadGroup> OpenAsync(BenchCluster cluster, int size, int receivers, CancellationToken cancellationToken) =>
        LoadGroup.OpenAsync(cluster, new Payloads(1, size), cancellationToken, receivers: receivers, topic: new Topic($"calibration-{size}-{receivers}"));

    /// <summary>Processor seconds to take a piece from one process to another, without hashing and writing it.</summary>
    private static async Task<double> CrossAsync(BenchCluster cluster, int bytes, CancellationToken cancellationToken)
    {
        BatchWork Pieces(int receivers) => new(1, receivers, 1, bytes, 0, 0, FlushesPerPiece, 0);
        FloorRate one = await MeasureAsync(Pieces(0));
        FloorRate two = await MeasureAsync(Pieces(1));
        double seconds = (two.CpuSecondsPerMillion - one.CpuSecondsPerMillion) / 1e6;
        return Math.Max(0, seconds - (bytes * StageTimer.HashPerByte()));

        Task<FloorRate> MeasureAsync(BatchWork work) => TransportFloor.MeasureAsync(work, 1, Path.Combine(cluster.Scratch, $"cross-{bytes}-{work.Receivers}"), cluster.DirectoryOf, Settle, Counted, cancellationToken);
    }

    private static double Share(double share, double max) => double.IsFinite(share) ? Math.Clamp(share, 0, max) : 0;

    private static double Slope(double few, double more, double max) => Math.Clamp((more - few) / (More - Few), 0, max);
}
