using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Certifying;

/// <summary>Finds two acks of one witness whose intervals share a slot in which they claim different batches. Rule C2.</summary>
/// <remarks>
/// Leaves and digests are compared, never roots or signatures: an honest witness signs one leaf under many roots. Costs one walk over a
/// window per ack, so owners ask only about streams in which some ack differs from their own chain.
/// </remarks>
public static class AckConflicts
{
    /// <summary>Evidence against the witness of <paramref name="ack"/>, if the statements at hand show any.</summary>
    /// <param name="collector">Holds the first ack of each witness per slot.</param>
    /// <param name="ack">A verified ack; whether it counted does not matter.</param>
    /// <param name="statementOf">The statement of a batch, null when it is not at hand.</param>
    /// <param name="committee">Whose keys accuse.</param>
    public static VerifiedEvidence? Find(AckCollector collector, VerifiedAck ack, Func<BatchRef, VerifiedStatement?> statementOf, Committee committee)
    {
        ArgumentNullException.ThrowIfNull(collector);
        ArgumentNullException.ThrowIfNull(ack);
        ArgumentNullException.ThrowIfNull(statementOf);
        ArgumentNullException.ThrowIfNull(committee);
        return Below(collector, ack, statementOf, committee) ?? Above(collector, ack, statementOf, committee);
    }

    /// <summary>Walks from the ack's batch down its chain to its base, and looks for an ack of another batch on the way.</summary>
    private static VerifiedEvidence? Below(AckCollector collector, VerifiedAck ack, Func<BatchRef, VerifiedStatement?> statementOf, Committee committee)
    {
        List<ReadOnlyMemory<byte>> chain = [];
        BatchRef claim = ack.Batch;
        while (true)
        {
            if (collector.AckOf(ack.Witness, claim.Sequence) is { } other && other.Batch.Digest != claim.Digest)
            {
                return VerifiedEvidence.Of(committee.KeyOf(ack.Witness), claim.Slot, other, [], ack, chain);
            }

            if (claim.Sequence <= ack.Base || statementOf(claim) is not { Statement.Ancestor.Kind: AncestorKind.Previous } statement)
            {
                return null;
            }

            chain.Add(statement.Statement.Bytes);
            claim = new BatchRef(claim.Stream, claim.Sequence.Preceding, statement.Statement.Ancestor.Digest);
        }
    }

    /// <summary>The nearest ack above whose interval reaches down to this one.</summary>
    private static VerifiedEvidence? Above(AckCollector collector, VerifiedAck ack, Func<BatchRef, VerifiedStatement?> statementOf, Committee committee)
    {
        for (ulong step = 1; step < (ulong)committee.Limits.WindowSlots; step++)
        {
            Sequence slot = new(ack.Batch.Sequence.Value + step);
            if (collector.AckOf(ack.Witness, slot) is { } other && other.Base <= ack.Batch.Sequence)
            {
                return Below(collector, other, statementOf, committee);
            }
        }

        return null;
    }
}
