using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>The answer to a batch for a slot that is stored: what covers the slot (W2), or, when it is another batch, a refusal that shows it (W3).</summary>
internal sealed class StoredAnswers(BatchStore store, BatchVerifier verifier)
{
    /// <returns>The reply for the publisher; with it, when the batches differ, the input that tells the core.</returns>
    /// <remarks>Nothing when the disk gives other bytes: that is noted and repaired, and the publisher sends the batch again (P3).</remarks>
    public Intake Of(StoredSlotOffer offer)
    {
        try
        {
            return Answer(offer);
        }
        catch (StoreDamageException)
        {
            return default;
        }
    }

    private Intake Answer(StoredSlotOffer offer)
    {
        VerifiedStatement offered = offer.Offered;
        if (!store.TryFind(offered.Reference.Stream, out StreamLog? log) || log.Tip is null)
        {
            return default;
        }

        if (log.RangeFrom(offered.Sequence) is not { } range)
        {
            // P6: nothing is left of the slot but that it is certified.
            Refusal gone = new(offered.Reference.Slot, RefusalReason.BelowFloor, Certificate: log.TryReadTip(out VerifiedCertificate? tip) ? tip.Certificate : null, Text: "the slot lies below what this witness keeps");
            return Intake.Answer(RefusalFrame.From(gone), FrameBytes.Of(gone));
        }

        CertifiedFrame covering = StoredFrames.Certified(log, range);
        SignedStatement stored = covering.Statements[0];
        if (Sha256.Hash(stored.Bytes.Span) == offered.Digest)
        {
            return Intake.Answer(covering, FrameBytes.Of(covering));
        }

        CoreInput? conflict = verifier.TryVerifyStatement(stored.Bytes.Span, stored.Signature, out VerifiedStatement? original, out _)
            ? new StoredConflictInput(original, offered)
            : null;
        Refusal refusal = new(offered.Reference.Slot, RefusalReason.Conflict, stored, Text: "another batch is certified in this slot");
        RefusalFrame frame = RefusalFrame.From(refusal) with { Certificate = covering.Certificate };
        return Intake.Answer(frame, FrameBytes.Of(refusal) + covering.Certificate.Length, conflict);
    }
}
