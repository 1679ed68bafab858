using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>Batches of one stream whose predecessor or link target is unknown. Rule W4.</summary>
/// <remarks>One per slot, within the window, and within a sum of bytes that all streams share.</remarks>
internal sealed class HeldBatches(SlotWindow window, HeldBytes bytes)
{
    /// <summary>Holds a batch; gives the reason when it does not.</summary>
    public IgnoreReason? Hold(SlotState slot, VerifiedBatch batch)
    {
        if (slot.Held is { } held)
        {
            if (held.Digest == batch.Digest)
            {
                return IgnoreReason.HeldAlready;
            }

            // One whose predecessor is acked or certified displaces one without.
            if (!HasKnownPredecessor(batch) || HasKnownPredecessor(held))
            {
                return IgnoreReason.SlotHeld;
            }

            Release(slot);
        }

        // Lower displaces higher, and the next batch always fits: a stream cannot be stopped by its own future.
        while (!bytes.HasRoomFor(batch.Body.Length) && HighestAbove(batch.Sequence) is { } higher)
        {
            Release(higher);
        }

        if (!bytes.HasRoomFor(batch.Body.Length) && batch.Sequence != window.NextOpen)
        {
            return IgnoreReason.HeldBytes;
        }

        slot.Held = batch;
        bytes.Add(batch.Body.Length);
        return null;
    }

    /// <summary>Takes the held batch out of a slot.</summary>
    public VerifiedBatch? Release(SlotState slot)
    {
        VerifiedBatch? held = slot.Held;
        if (held is not null)
        {
            bytes.Remove(held.Body.Length);
            slot.Held = null;
        }

        return held;
    }

    private SlotState? HighestAbove(Sequence sequence) => window.Known
        .Where(known => known.Sequence > sequence && known.Slot.Held is not null)
        .Select(known => known.Slot)
        .LastOrDefault();

    private bool HasKnownPredecessor(VerifiedBatch batch) =>
        batch.Statement.Statement.Ancestor is { Kind: AncestorKind.Previous } ancestor
        && window.IsOnMyChain(new BatchRef(window.Stream, batch.Sequence.Preceding, ancestor.Digest));
}
