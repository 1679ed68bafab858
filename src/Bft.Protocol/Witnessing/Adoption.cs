using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>What certificates cover beats what I acked, and is stored. Rules W5 and W7.</summary>
internal readonly struct Adoption(SlotWindow window, HeldBatches held)
{
    /// <summary>Takes a verified certificate, with verified statements of slots that it covers; gives the reason when it changes nothing.</summary>
    public IgnoreReason? Take(VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements, WitnessEffects effects)
    {
        Sequence top = certificate.Batch.Sequence;
        if (top < window.RecordedEnd)
        {
            return IgnoreReason.BelowTip;
        }

        window.Certified(top);
        if (top.Value >= window.Limit)
        {
            // Only tells that there is more to fetch: it comes again when the slots below it are stored.
            return IgnoreReason.OutOfWindow;
        }

        SlotState slot = window.At(top);
        if (slot.Covered is { } covered && covered != certificate.Batch.Digest)
        {
            return IgnoreReason.ConflictingCertificate;
        }

        if (slot.Certificate is not { } known || certificate.Base < known.Base)
        {
            slot.Certificate = certificate;
        }

        return Cover(certificate.Batch, certificate.Base, statements, effects);
    }

    /// <summary>Marks what a certificate covers, from a batch down as far as statements are known.</summary>
    /// <param name="batch">Known covered.</param>
    /// <param name="from">The lowest slot that the certificate reaches.</param>
    /// <param name="statements">Statements shown by a peer; only those on the way down are taken, so that no other can stand in a slot.</param>
    /// <param name="effects">Gets the records of batches held until now.</param>
    public IgnoreReason? Cover(BatchRef batch, Sequence from, IReadOnlyList<VerifiedStatement> statements, WitnessEffects effects)
    {
        Dictionary<BatchRef, VerifiedStatement> shown = [];
        foreach (VerifiedStatement statement in statements)
        {
            shown.TryAdd(statement.Reference, statement);
        }

        while (batch.Sequence >= window.RecordedEnd)
        {
            SlotState slot = window.At(batch.Sequence);
            if (slot.Covered is { } covered && covered != batch.Digest)
            {
                return IgnoreReason.ConflictingCertificate;
            }

            slot.CoveredFrom = slot.Covered is null || from < slot.CoveredFrom ? from : slot.CoveredFrom;
            slot.Covered = batch.Digest;
            if (slot.Fetched is { } fetched && fetched.Digest != batch.Digest)
            {
                slot.Fetched = null;
                slot.IsFetchedRecorded = false;
            }

            if (held.Release(slot) is { } waiting && waiting.Digest == batch.Digest)
            {
                Record(slot, waiting, effects);
            }

            if (slot.StatementOf(batch.Digest) is null && shown.TryGetValue(batch, out VerifiedStatement? taken))
            {
                slot.Fetched = taken;
            }

            if (slot.StatementOf(batch.Digest) is not { } statement || batch.Sequence <= slot.CoveredFrom)
            {
                return null;
            }

            from = slot.CoveredFrom;
            batch = new BatchRef(window.Stream, batch.Sequence.Preceding, statement.Statement.Ancestor.Digest);
        }

        // Below the recorded end two certificates agree, or more than f witnesses are faulty.
        return window.RecordedTip is { } tip && tip.Sequence == batch.Sequence && tip != batch ? IgnoreReason.ConflictingCertificate : null;
    }

    /// <summary>Stores the batch that is covered in a slot, without an ack: I never ack there again.</summary>
    public static void Record(SlotState slot, VerifiedBatch batch, WitnessEffects effects)
    {
        if (!slot.IsCoveredRecorded)
        {
            slot.Fetched = batch.Statement;
            slot.IsFetchedRecorded = true;
            effects.Records.Add(new BatchRecord(batch, AckBase: null));
        }
    }

    /// <summary>W7: when bodies and certificates cover more without a gap, records the certificates; the tip rises when they are durable.</summary>
    public List<VerifiedCertificate> Store(WitnessEffects effects)
    {
        List<VerifiedCertificate> recorded = [];
        Sequence end = window.FirstMissing;
        while (HighestCertificateBelow(end) is { } certificate)
        {
            window.Recorded(certificate.Batch);
            effects.Records.Add(new CertificateRecord(certificate));
            recorded.Add(certificate);
        }

        return recorded;
    }

    /// <summary>S1: of the certificates that reach down to the first slot not stored, the one that covers most.</summary>
    private VerifiedCertificate? HighestCertificateBelow(Sequence end)
    {
        for (Sequence sequence = end; sequence > window.RecordedEnd;)
        {
            sequence = sequence.Preceding;
            if (window.At(sequence).Certificate is { } certificate && certificate.Base <= window.RecordedEnd)
            {
                return certificate;
            }
        }

        return null;
    }
}
