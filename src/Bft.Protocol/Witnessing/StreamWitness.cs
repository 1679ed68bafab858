using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>One witness's part in one stream: what it acks, holds, adopts and stores. Rules W1 to W5.</summary>
/// <remarks>
/// Slots are in one of three stretches: below <see cref="StoredEnd"/> covered, stored and durable (forgotten here); up to
/// <see cref="RecordedEnd"/> the same but for the flush; above that, a window of <see cref="SlotState"/>s.
/// </remarks>
internal sealed class StreamWitness
{
    private readonly Committee _committee;
    private readonly HeldBytes _heldBytes;
    private readonly ILinkTargets _links;
    private readonly Dictionary<Sequence, SlotState> _slots = [];
    private LastAck? _lastAck;
    private BatchRef? _recordedTip;

    public StreamWitness(StreamId id, Committee committee, HeldBytes heldBytes, ILinkTargets links)
    {
        Id = id;
        _committee = committee;
        _heldBytes = heldBytes;
        _links = links;
    }

    public StreamId Id { get; }

    /// <summary>Null until the first statement of the stream is seen (a certificate names only the id).</summary>
    public StreamHeader? Header { get; private set; }

    /// <summary>The stored tip's certificate; null while nothing is stored.</summary>
    public VerifiedCertificate? StoredTip { get; private set; }

    /// <summary>One above the stored tip.</summary>
    public Sequence StoredEnd { get; private set; }

    /// <summary>One above the highest slot whose body and covering certificate are recorded, durable or about to be.</summary>
    public Sequence RecordedEnd { get; private set; }

    /// <summary>One above the highest slot known certified.</summary>
    public Sequence CertifiedEnd { get; private set; }

    /// <summary>The lowest slot known or suspected certified whose body is not recorded: where a fetch begins.</summary>
    public Sequence FirstMissing
    {
        get
        {
            Sequence sequence = RecordedEnd;
            while (_slots.TryGetValue(sequence, out SlotState? slot) && slot.IsCoveredRecorded)
            {
                sequence = sequence.Following;
            }

            return sequence;
        }
    }

    /// <summary>W10: the publisher signed two batches for one slot of this stream.</summary>
    public bool IsPublisherProven { get; private set; }

    /// <summary>The lowest slot neither acked by me nor covered by a recorded certificate: the only one that may be acked (W1).</summary>
    public Sequence NextOpen => _lastAck is { } last && last.Batch.Sequence >= RecordedEnd ? last.Batch.Sequence.Following : RecordedEnd;

    private int Window => _committee.Limits.WindowSlots;

    /// <summary>A batch has passed verification. Rules W1 to W5.</summary>
    public void OnBatch(VerifiedBatch batch, CommitGroup group, WitnessEffects effects)
    {
        Header ??= batch.Statement.Statement.Header;
        if (batch.Sequence < StoredEnd)
        {
            // W2, W3: the slot is stored; its statement and certificate are the journal's to show.
            effects.Offers.Add(new StoredSlotOffer(batch.Statement));
            return;
        }

        if (WhyOutOfWindow(batch.Sequence) is { } reason)
        {
            Refuse(batch.Statement, RefusalReason.OutOfWindow, effects);
            effects.Ignored.Add(reason);
            return;
        }

        SlotState slot = SlotAt(batch.Sequence);
        if (slot.Original is { } first && first.Digest != batch.Digest)
        {
            Prove(first, batch.Statement, effects);
        }

        if (slot.Covered == batch.Digest)
        {
            // W5: a certificate beats everything else; the covered batch is stored, and not acked.
            RecordCovered(slot, batch, group, effects);
        }
        else if (slot.Acked is { } acked)
        {
            OnBatchInAckedSlot(slot, acked, batch, group, effects);
        }
        else if (slot.Covered is not null)
        {
            effects.Ignored.Add(IgnoreReason.AlreadyProven);
        }
        else if (IsPublisherProven)
        {
            // W10: no fresh acks in a stream whose publisher is proven faulty.
            Refuse(batch.Statement, RefusalReason.ProvenFaulty, effects);
            effects.Ignored.Add(IgnoreReason.ProvenFaulty);
        }
        else if (BaseFor(batch) is { } ackBase)
        {
            Ack(slot, batch, ackBase, group, effects);
            AckHeld(group, effects);
        }
        else
        {
            Hold(slot, batch, effects);
        }
    }

    /// <summary>W5: a verified certificate, with as many statements of the slots that it covers as the sender had.</summary>
    /// <remarks>One far above the window only tells that there is more to fetch: it comes again when the slots below it are stored.</remarks>
    public void OnCertificate(VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements, CommitGroup group, WitnessEffects effects)
    {
        Sequence top = certificate.Batch.Sequence;
        if (top < RecordedEnd)
        {
            effects.Ignored.Add(IgnoreReason.BelowTip);
            return;
        }

        CertifiedEnd = Max(CertifiedEnd, top.Following);
        if (top.Value >= RecordedEnd.Value + (2 * (ulong)Window))
        {
            effects.Ignored.Add(IgnoreReason.OutOfWindow);
            return;
        }

        SlotState slot = SlotAt(top);
        if (slot.Covered is { } covered && covered != certificate.Batch.Digest)
        {
            effects.Ignored.Add(IgnoreReason.ConflictingCertificate);
            return;
        }

        if (slot.Certificate is not { } known || certificate.Base < known.Base)
        {
            slot.Certificate = certificate;
        }

        foreach (VerifiedStatement statement in statements)
        {
            Header ??= statement.Statement.Header;
            if (statement.Sequence >= RecordedEnd && statement.Sequence <= top)
            {
                SlotState below = SlotAt(statement.Sequence);
                below.Fetched ??= below.StatementOf(statement.Digest) is null ? statement : null;
            }
        }

        Cover(certificate.Batch, certificate.Base, effects);
        Store(group, effects);
        AckHeld(group, effects);
    }

    /// <summary>W4: a batch held for its link target, now that the target may be stored.</summary>
    public void OnLinkTargetStored(CommitGroup group, WitnessEffects effects) => AckHeld(group, effects);

    /// <summary>W1: the record of an ack is durable.</summary>
    public void OnAckDurable(Sequence sequence)
    {
        if (_slots.TryGetValue(sequence, out SlotState? slot))
        {
            slot.IsAckDurable = true;
        }
    }

    /// <summary>W7: a certificate and the bodies below it are durable; subscribers and peers may see them.</summary>
    public void OnTipDurable(VerifiedCertificate certificate, WitnessEffects effects)
    {
        Sequence from = StoredEnd;
        StoredTip = certificate;
        StoredEnd = certificate.Batch.Sequence.Following;
        for (Sequence sequence = from; sequence < StoredEnd; sequence = sequence.Following)
        {
            if (_slots.Remove(sequence, out SlotState? slot))
            {
                Release(slot);
            }
        }

        if (Header is { } header)
        {
            effects.StoredTips.Add(new StoredTip(header, from, certificate));
        }
    }

    public bool IsAckDurable(Sequence sequence) => _slots.TryGetValue(sequence, out SlotState? slot) && slot.IsAckDurable;

    /// <summary>W3: what I acked in a slot above the stored tip, with the original that its publisher signed.</summary>
    public VerifiedStatement? AckedAt(Sequence sequence) => _slots.TryGetValue(sequence, out SlotState? slot) ? slot.Acked : null;

    /// <summary>The statement of a batch in the window, if it is known.</summary>
    public VerifiedStatement? StatementOf(BatchRef batch) => _slots.TryGetValue(batch.Sequence, out SlotState? slot) ? slot.StatementOf(batch.Digest) : null;

    /// <summary>The batch here is the one that I acked or know certified.</summary>
    public bool IsOnMyChain(BatchRef batch) =>
        _slots.TryGetValue(batch.Sequence, out SlotState? slot) && (slot.Acked?.Digest == batch.Digest || slot.Covered == batch.Digest);

    /// <summary>Acks above the stored tip whose records are durable, lowest first.</summary>
    public IEnumerable<AckStatement> DurableAcks() => _slots
        .Where(pair => pair.Value is { Acked: not null, IsAckDurable: true })
        .OrderBy(pair => pair.Key)
        .Select(pair => new AckStatement(pair.Value.Acked!.Reference, pair.Value.AckBase));

    /// <summary>W9: a batch record is replayed.</summary>
    public void RestoreBatch(VerifiedStatement statement, Sequence? ackBase)
    {
        Header ??= statement.Statement.Header;
        if (ackBase is { } @base)
        {
            _lastAck = new LastAck(statement.Reference, @base);
        }

        if (statement.Sequence < RecordedEnd)
        {
            return;
        }

        SlotState slot = SlotAt(statement.Sequence);
        if (ackBase is not null)
        {
            slot.Acked = statement;
            slot.AckBase = ackBase.Value;
            slot.IsAckDurable = true;
        }
        else
        {
            slot.Fetched = statement;
            slot.IsFetchedRecorded = true;
        }
    }

    /// <summary>W9: a certificate record is replayed; the bodies that it covers came before it.</summary>
    /// <returns>False when they did not: the journal contradicts itself.</returns>
    public bool RestoreCertificate(VerifiedCertificate certificate, WitnessEffects effects)
    {
        CommitGroup group = new();
        SlotAt(certificate.Batch.Sequence).Certificate = certificate;
        CertifiedEnd = Max(CertifiedEnd, certificate.Batch.Sequence.Following);
        Cover(certificate.Batch, certificate.Base, effects);
        Store(group, effects);
        foreach ((StreamWitness _, VerifiedCertificate durable) in group.Tips)
        {
            OnTipDurable(durable, effects);
        }

        return StoredEnd > certificate.Batch.Sequence;
    }

    /// <summary>W10: evidence about the publisher in this stream was kept by an earlier run, or came from a peer.</summary>
    public void RestoreEvidence() => IsPublisherProven = true;

    private static Sequence Max(Sequence left, Sequence right) => left > right ? left : right;

    private void OnBatchInAckedSlot(SlotState slot, VerifiedStatement acked, VerifiedBatch batch, CommitGroup group, WitnessEffects effects)
    {
        if (!slot.IsAckDurable)
        {
            // W1, last sentence: no message of any kind reveals an ack whose record is not flushed.
            if (acked.Digest != batch.Digest)
            {
                group.Conflicts.Add((this, batch.Sequence));
            }

            effects.Ignored.Add(IgnoreReason.NotDurableYet);
        }
        else if (acked.Digest == batch.Digest)
        {
            // W2: a retry means that our ack may be lost. The same leaf again, and no new record.
            group.Repeats.Add((this, batch.Sequence));
        }
        else
        {
            // W3: keep the first ack (consistency rests on it) and answer with it.
            group.Conflicts.Add((this, batch.Sequence));
        }
    }

    /// <summary>W1: the base of an ack for this batch; null when it must not be acked (yet).</summary>
    private Sequence? BaseFor(VerifiedBatch batch)
    {
        // Every lower slot is acked by me or covered by recorded certificates: an ack that left one uncovered could kill the stream.
        if (batch.Sequence != NextOpen)
        {
            return null;
        }

        Ancestor ancestor = batch.Statement.Statement.Ancestor;
        switch (ancestor.Kind)
        {
            case AncestorKind.None:
                return Sequence.Zero;
            case AncestorKind.Link:
                return _links.IsStored(batch.Statement.Statement.Header, ancestor) ? Sequence.Zero : null;
            default:
                break;
        }

        Sequence before = batch.Sequence.Preceding;
        if (_lastAck is { } last && last.Batch.Sequence == before && last.Batch.Digest == ancestor.Digest)
        {
            // C1: an ack reaches less than a window.
            ulong reach = (ulong)Window - 1;
            return batch.Sequence.Value - last.Base.Value > reach ? new Sequence(batch.Sequence.Value - reach) : last.Base;
        }

        // The batch covered there instead: a base kept across adoption would claim slots where I acked another batch.
        return _recordedTip is { } tip && tip.Sequence == before && tip.Digest == ancestor.Digest ? batch.Sequence : null;
    }

    private void Ack(SlotState slot, VerifiedBatch batch, Sequence ackBase, CommitGroup group, WitnessEffects effects)
    {
        slot.Acked = batch.Statement;
        slot.AckBase = ackBase;
        _lastAck = new LastAck(batch.Reference, ackBase);
        effects.Records.Add(new BatchRecord(batch, ackBase));
        group.Acks.Add((this, new AckStatement(batch.Reference, ackBase)));
    }

    private void AckHeld(CommitGroup group, WitnessEffects effects)
    {
        while (!IsPublisherProven
            && _slots.TryGetValue(NextOpen, out SlotState? slot)
            && slot is { Held: { } held, Acked: null, Covered: null }
            && BaseFor(held) is { } ackBase)
        {
            Release(slot);
            Ack(slot, held, ackBase, group, effects);
        }
    }

    /// <summary>W4: a batch whose predecessor or link target is unknown is held.</summary>
    private void Hold(SlotState slot, VerifiedBatch batch, WitnessEffects effects)
    {
        if (slot.Held is { } held)
        {
            if (held.Digest == batch.Digest)
            {
                effects.Ignored.Add(IgnoreReason.HeldAlready);
                return;
            }

            if (!HasKnownPredecessor(batch) || HasKnownPredecessor(held))
            {
                effects.Ignored.Add(IgnoreReason.SlotHeld);
                return;
            }

            Release(slot);
        }

        // Lower displaces higher, and the next batch always fits: a stream cannot be stopped by its own future.
        while (!_heldBytes.HasRoomFor(batch.Body.Length) && HighestHeldAbove(batch.Sequence) is { } higher)
        {
            Release(higher);
        }

        if (!_heldBytes.HasRoomFor(batch.Body.Length) && batch.Sequence != NextOpen)
        {
            effects.Ignored.Add(IgnoreReason.HeldBytes);
            return;
        }

        slot.Held = batch;
        _heldBytes.Add(batch.Body.Length);
    }

    private void Release(SlotState slot)
    {
        if (slot.Held is { } held)
        {
            _heldBytes.Remove(held.Body.Length);
            slot.Held = null;
        }
    }

    private SlotState? HighestHeldAbove(Sequence sequence) => _slots
        .Where(pair => pair.Key > sequence && pair.Value.Held is not null)
        .OrderByDescending(pair => pair.Key)
        .Select(pair => pair.Value)
        .FirstOrDefault();

    private bool HasKnownPredecessor(VerifiedBatch batch)
    {
        Ancestor ancestor = batch.Statement.Statement.Ancestor;
        return ancestor.Kind == AncestorKind.Previous
            && (IsOnMyChain(new BatchRef(Id, batch.Sequence.Preceding, ancestor.Digest))
                || (_recordedTip is { } tip && tip.Sequence == batch.Sequence.Preceding && tip.Digest == ancestor.Digest));
    }

    /// <summary>W5: marks what a certificate covers, from its batch down as far as statements are known.</summary>
    private void Cover(BatchRef batch, Sequence from, WitnessEffects effects)
    {
        while (batch.Sequence >= RecordedEnd)
        {
            SlotState slot = SlotAt(batch.Sequence);
            if (slot.Covered is { } covered && covered != batch.Digest)
            {
                effects.Ignored.Add(IgnoreReason.ConflictingCertificate);
                return;
            }

            slot.CoveredFrom = slot.Covered is null || from < slot.CoveredFrom ? from : slot.CoveredFrom;
            slot.Covered = batch.Digest;
            if (slot.Fetched is { } fetched && fetched.Digest != batch.Digest)
            {
                slot.Fetched = null;
                slot.IsFetchedRecorded = false;
            }

            if (slot.Held is { } held && held.Digest == batch.Digest)
            {
                Release(slot);
                Record(slot, held, effects);
            }

            if (slot.StatementOf(batch.Digest) is not { } statement || batch.Sequence <= slot.CoveredFrom || batch.Sequence.IsFirst)
            {
                return;
            }

            from = slot.CoveredFrom;
            batch = new BatchRef(Id, batch.Sequence.Preceding, statement.Statement.Ancestor.Digest);
        }
    }

    private void RecordCovered(SlotState slot, VerifiedBatch batch, CommitGroup group, WitnessEffects effects)
    {
        if (slot.IsCoveredRecorded)
        {
            // W2: the certificate follows when it is durable.
            effects.Ignored.Add(IgnoreReason.NotDurableYet);
            return;
        }

        Record(slot, batch, effects);
        Cover(batch.Reference, slot.CoveredFrom, effects);
        Store(group, effects);
        AckHeld(group, effects);
    }

    private static void Record(SlotState slot, VerifiedBatch batch, WitnessEffects effects)
    {
        if (slot.IsCoveredRecorded)
        {
            return;
        }

        slot.Fetched = batch.Statement;
        slot.IsFetchedRecorded = true;
        effects.Records.Add(new BatchRecord(batch, AckBase: null));
    }

    /// <summary>W7: when bodies and certificates cover more without a gap, records the certificates; the tip rises when they are durable.</summary>
    private void Store(CommitGroup group, WitnessEffects effects)
    {
        Sequence end = FirstMissing;
        while (HighestCertificate(end) is { } certificate)
        {
            RecordedEnd = certificate.Batch.Sequence.Following;
            _recordedTip = certificate.Batch;
            effects.Records.Add(new CertificateRecord(certificate));
            group.Tips.Add((this, certificate));
        }
    }

    /// <summary>S1: of the certificates that reach down to <see cref="RecordedEnd"/>, the one that covers most below <paramref name="end"/>.</summary>
    private VerifiedCertificate? HighestCertificate(Sequence end)
    {
        for (Sequence sequence = end; sequence > RecordedEnd;)
        {
            sequence = sequence.Preceding;
            if (_slots[sequence].Certificate is { } certificate && certificate.Base <= RecordedEnd)
            {
                return certificate;
            }
        }

        return null;
    }

    /// <summary>W3, W10: two originals of the publisher in one slot; one pair is kept per stream.</summary>
    public void Prove(VerifiedStatement first, VerifiedStatement second, WitnessEffects effects)
    {
        if (IsPublisherProven || !first.IsSigned || !second.IsSigned)
        {
            effects.Ignored.Add(IgnoreReason.AlreadyProven);
            return;
        }

        IsPublisherProven = true;
        VerifiedEvidence evidence = VerifiedEvidence.Of(first, second);
        effects.Records.Add(new EvidenceRecord(evidence));
        effects.Evidence.Add(evidence);
    }

    private static void Refuse(VerifiedStatement about, RefusalReason reason, WitnessEffects effects) =>
        effects.Refusals.Add(new PublisherRefusal(about.Statement.Header.Publisher, new Refusal(about.Reference.Slot, reason)));

    /// <summary>W4: the window is W slots from the lowest that I neither acked nor know covered, and W above the highest that I acked or know certified.</summary>
    private IgnoreReason? WhyOutOfWindow(Sequence sequence)
    {
        Sequence lowest = NextOpen;
        while (_slots.TryGetValue(lowest, out SlotState? slot) && slot.Covered is not null)
        {
            lowest = lowest.Following;
        }

        if (sequence.Value < lowest.Value + (ulong)Window || _slots.ContainsKey(sequence))
        {
            return null;
        }

        // C3: while a stream is far behind, the second window moves on and leaves slots behind; their number is bounded all the same.
        ulong highest = Max(NextOpen, CertifiedEnd).Value;
        bool fits = sequence.Value >= highest && sequence.Value < highest + (ulong)Window && _slots.Count < 4 * Window;
        return fits ? null : IgnoreReason.OutOfWindow;
    }

    private SlotState SlotAt(Sequence sequence)
    {
        if (!_slots.TryGetValue(sequence, out SlotState? slot))
        {
            slot = new SlotState();
            _slots.Add(sequence, slot);
        }

        return slot;
    }
}

/// <summary>W1: whether a link's target is at or below the stored tip of its own stream.</summary>
internal interface ILinkTargets
{
    bool IsStored(StreamHeader header, Ancestor link);
}
