namespace Bft.Bench.Planning;

/// <summary>Processor time that a process of one kind takes for what passes it. Unit: seconds.</summary>
/// <param name="PerBatch">Whatever is in the batch.</param>
/// <param name="PerPeer">Per batch and witness that is spoken to about it.</param>
/// <param name="PerByte">Of a batch's body.</param>
/// <param name="PerMessage">In a batch.</param>
public readonly record struct ProcessWork(double PerBatch, double PerPeer, double PerByte, double PerMessage)
{
    /// <summary>All of a batch.</summary>
    public double Of(double messages, double bytes, int peers) => PerBatch + (PerPeer * peers) + (PerByte * bytes) + (PerMessage * messages);

    /// <summary>The same share of each.</summary>
    public ProcessWork Times(double share) => new(PerBatch * share, PerPeer * share, PerByte * share, PerMessage * share);
}
