using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>Batches of one stream whose predecessor or link target is unknown. Rule W4.</summary>
/// <remarks>One per slot, within the window, and within a sum of bytes that all streams share.</remarks>
internal readonly struct HeldBatches(SlotWindow window, HeldBytes bytes)
{
    /// <summary>Holds a batch; gives the reason when it does not.</summary>
    public IgnoreReason? Hold(SlotState slot, VerifiedBatch batch)
    {
        if (slot.Held is not null)
        {
            // Surely the same batch: a second one proves the publisher, and is not held (W10). So no held batch ever displaces another in its slot.
            return IgnoreReason.HeldAlready;
        }

        // Lower displaces higher: a stream cannot be stopped by its own future.
        while (!bytes.HasRoomFor(batch.Body.Length) && HighestFrom(batch.Sequence.Following) is { } higher)
        {
            Release(higher);
        }

        // The next batch always fits: the stream that holds most pays for it, so that many streams are bounded like one (C3).
        while (!bytes.HasRoomFor(batch.Body.Length) && batch.Sequence == window.NextOpen && bytes.Greediest is { } greediest)
        {
            HeldBatches most = new(greediest, bytes);
            most.Release(most.HighestFrom(Sequence.Zero)!);
        }

        if (!bytes.HasRoomFor(batch.Body.Length))
        {
            return IgnoreReason.HeldBytes;
        }

        slot.Held = batch;
        bytes.Add(window, batch.Body.Length);
        return null;
    }

    /// <summary>Takes the held batch out of a slot.</summary>
    public VerifiedBatch? Release(SlotState slot)
    {
        VerifiedBatch? held = slot.Held;
        if (held is not null)
        {
            bytes.Remove(window, held.Body.Length);
            slot.Held = null;
        }

        return held;
    }

    private SlotState? HighestFrom(Sequence sequence) => window.Known
        .Where(known => known.Sequence >= sequence && known.Slot.Held is not null)
        .Select(known => known.Slot)
        .LastOrDefault();
}
