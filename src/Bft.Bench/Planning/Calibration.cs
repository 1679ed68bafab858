using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Protocol.Membership;

namespace Bft.Bench.Planning;

/// <summary>Measures <see cref="StageCosts"/> on this machine in about a minute: the stages that can be had alone, and short runs through real clusters for what a batch, a byte and a message cost each kind of process in all.</summary>
public static class Calibration
{
    /// <exception cref="LoadFailedException">A cluster came to a halt, or hardly moved.</exception>
    public static async Task<StageCosts> MeasureAsync(IBenchOutput output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        CalibrationRuns runs = await CalibrationRuns.MakeAsync(output, cancellationToken);
        output.Doing("hashing and signing");
        StageCosts costs = Fit(runs, $"{Machine.Here().Processor}, {Machine.Here().Date}", StageTimer.HashPerByte(), StageTimer.Signatures(), Environment.ProcessorCount);
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

    /// <summary>Splits what the runs took into what each part of a batch takes.</summary>
    internal static StageCosts Fit(CalibrationRuns runs, string machine, double hashPerByte, (double Sign, double Verify) signatures, double cores)
    {
        const int few = CalibrationRuns.Few;
        double crossPerByte = runs.Cross.PerByte;
        ProcessWork clients = WorkFit.Of(runs.Light, runs.Heavy, runs.Many, trial => trial.Clients);
        ProcessWork witness = WorkFit.Of(runs.Light, runs.Heavy, runs.Many, trial => trial.Witness);

        // What further receivers add says what one takes, and never less than it must: its end of a crossing, and a hash pass. The rest of the clients is the publisher.
        double body = runs.Heavy.Bytes / runs.Heavy.Batches;
        double receiving = Further(trial => trial.Clients, ((crossPerByte / 2) + hashPerByte) * body);
        double serving = few * Further(trial => trial.Witness, crossPerByte / 2 * body / few);
        double receiverShare = Math.Min(receiving / Cpu(runs.Heavy, trial => trial.Clients), 0.8);
        double serveShare = Math.Min(serving / (few * Cpu(runs.Heavy, trial => trial.Witness)), 0.5);
        ProcessWork publisher = clients.Times(1 - receiverShare);
        ProcessWork witnessAlone = witness.Times(1 - serveShare);

        // What further witnesses add to a batch says what each of the others takes.
        double publisherPerPeer = Slope(trial => trial.Clients, publisher.PerBatch / (few + 1)); // the rest is above 0
        double witnessPerPeer = Slope(trial => trial.Witness, witnessAlone.PerBatch / few);
        double sendPerByte = Math.Min(crossPerByte / 2, publisher.PerByte / few);

        // Bodies cross n times and once for each receiver; acks, certificates and tips go between all pairs. What a run at its limit sends or writes twice is not theirs, so the lower of two counts.
        double wirePerByte = Math.Max(1, Math.Min(runs.Heavy.WireBytes / runs.Heavy.Bytes, runs.Many.WireBytes / runs.Many.Bytes) / (few + 1));
        double diskPerByte = Math.Max(1, Math.Min(runs.Heavy.DiskBytes / runs.Heavy.Bytes, runs.Many.DiskBytes / runs.Many.Bytes));
        const double pairs = (few * (few - 1)) + (2 * few);
        StageCosts costs = new()
        {
            Machine = machine,
            HashPerByte = hashPerByte,
            Sign = signatures.Sign,
            Verify = signatures.Verify,
            Flush = runs.Journal.Flush,
            WritePerByte = runs.Journal.PerByte,
            CrossPerFrame = runs.Cross.PerFrame,
            CrossPerByte = 2 * sendPerByte,
            Publisher = publisher with { PerBatch = publisher.PerBatch - (publisherPerPeer * few), PerPeer = publisherPerPeer, PerByte = publisher.PerByte - (sendPerByte * few) },
            Witness = witnessAlone with { PerBatch = witnessAlone.PerBatch - (witnessPerPeer * (few - 1)), PerPeer = witnessPerPeer },
            Serve = witness.Times(serveShare * few),
            Receiver = clients.Times(receiverShare),
            BeforeShare = Math.Clamp(runs.Certified / runs.Delivered, 0.3, 0.9),
            CertifiedRest = 0,
            DeliveredRest = 0,
            ProcessorShare = runs.Busy,
            WireBytesPerByte = wirePerByte,
            WireBytesPerPair = Math.Max(0, (runs.Light.WireBytes - (runs.Light.Bytes * wirePerByte * (few + 1))) / runs.Light.Batches / pairs),
            DiskBytesPerByte = diskPerByte,
            DiskBytesPerBatch = Math.Max(0, (runs.Light.DiskBytes - (runs.Light.Bytes * diskPerByte)) / runs.Light.Batches),
        };
        BatchTimes alone = new(costs, Here(CalibrationRuns.SmallSize, few, cores), 1);
        return costs with { CertifiedRest = Math.Max(0, runs.Certified - alone.Certified()), DeliveredRest = Math.Max(0, runs.Delivered - alone.Delivered()) };

        double Cpu(Trial trial, Func<Trial, double> cpuOf) => cpuOf(trial) / trial.Batches;

        double Further(Func<Trial, double> cpuOf, double min) => Math.Max((Cpu(runs.Fanned, cpuOf) - Cpu(runs.Heavy, cpuOf)) / (CalibrationRuns.Fan - 1), min);

        double Slope(Func<Trial, double> cpuOf, double max) => Math.Clamp((Cpu(runs.Wide, cpuOf) - Cpu(runs.Light, cpuOf)) / (CalibrationRuns.More - few), 0, max);
    }
}
