using Bft.Bench.Load;

namespace Bft.Bench.Floors;

/// <summary>What a run did per batch, on average: the bytes and the work that no program of the same rules leaves out. Floors do this and nothing else.</summary>
/// <param name="Witnesses">Each is sent the body, hashes it, and writes it.</param>
/// <param name="Receivers">Each is sent the body, and hashes it.</param>
/// <param name="Messages">In a batch.</param>
/// <param name="BodyBytes">Of a batch, as it is stored and sent.</param>
/// <param name="Signatures">Made, by all processes.</param>
/// <param name="Verifications">Made, by all processes.</param>
/// <param name="WitnessFlushes">Of each witness's files.</param>
/// <param name="PublisherFlushes">Of the publishers' journals.</param>
internal sealed record BatchWork(
    int Witnesses, int Receivers, double Messages, int BodyBytes, double Signatures, double Verifications, double WitnessFlushes, double PublisherFlushes)
{
    /// <summary>The publisher's, each witness's and each receiver's: none of them believes another's.</summary>
    public int HashPasses => 1 + Witnesses + Receivers;

    /// <summary>Times that the body goes from one process to another.</summary>
    public int Crossings => Witnesses + Receivers;

    /// <summary>Times that the body is written to a disk: by each witness, and by its publisher.</summary>
    public int Writes => 1 + Witnesses;

    /// <summary>Null when nothing was certified, or a witness did not say what it did.</summary>
    public static BatchWork? Of(Sustained run, int receivers)
    {
        long batches = run.After.BatchSizes.Count;
        return batches > 0 && run.Work is { } work
            ? new BatchWork(
                run.After.Witnesses.Count,
                receivers,
                (double)(run.After.Certified - run.Before.Certified) / batches,
                (int)((run.After.BodyBytes - run.Before.BodyBytes) / batches),
                (double)work.Signatures / batches,
                (double)work.Verifications / batches,
                (double)run.WitnessFlushes / batches / run.After.Witnesses.Count,
                (double)(work.Flushes - run.WitnessFlushes) / batches)
            : null;
    }
}
