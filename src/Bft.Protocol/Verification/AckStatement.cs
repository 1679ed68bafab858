using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>A witness's claim, the leaf of an ack root: "this batch and each of its ancestors from base on are durable here, and I ack no other in those slots".</summary>
/// <param name="Batch">The batch acked.</param>
/// <param name="Base">The lowest slot that the claim reaches; at or below the batch's, and less than a window below it.</param>
public readonly record struct AckStatement(BatchRef Batch, Sequence Base)
{
    private const int Length = StatementTag.Length + Digest.Length + 4 + Digest.Length + 8 + 8 + Digest.Length;

    /// <summary>C1: a base above the slot, or a window or more below it, is malformed.</summary>
    public bool HasLegalBase(int windowSlots) => Base <= Batch.Sequence && Batch.Sequence.Value - Base.Value < (ulong)windowSlots;

    public Digest LeafHash(ClusterId cluster, Epoch epoch)
    {
#if PLANTED
        epoch = Planted.Is("epoch-unsigned") ? Epoch.Zero : epoch;
#endif
        Span<byte> bytes = stackalloc byte[Length];
        StatementWriter writer = new(bytes);
        writer.Tag(StatementTag.Ack);
        writer.Digest(cluster.Digest);
        writer.U32(epoch.Value);
        writer.Digest(Batch.Stream.Digest);
        writer.U64(Base.Value);
        writer.U64(Batch.Sequence.Value);
        writer.Digest(Batch.Digest);
        return Merkle.LeafHash(writer.Written);
    }
}
