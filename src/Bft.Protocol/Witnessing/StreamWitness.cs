using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>One witness's part in one stream: what it acks, holds, adopts and stores. Rules W1 to W5 and W7.</summary>
internal sealed class StreamWitness : IOfStream
{
    private readonly SlotWindow _window;
    private readonly IWholeWitness _witness;
    private Digest _storedDigest; // of the stored tip
    private VerifiedCertificate? _jump;
    private bool _isFloorRecorded;

    public StreamWitness(StreamId id, Committee committee, IWholeWitness witness)
    {
        _window = new SlotWindow(id, committee);
        _witness = witness;
    }

    public StreamId Id => _window.Stream;

    public Committee Committee => _window.Committee;

    /// <summary>Null until the first statement of the stream is seen (a certificate names only the id).</summary>
    public StreamHeader? Header
    {
        get;
        private set
        {
            if (field is null && value is not null)
            {
                _witness.OnNamed(value);
            }

            field = value;
        }
    }

    /// <summary>Null while nothing is stored. Its certificate and statement are the journal's to show: there may be very many streams.</summary>
    public BatchRef? StoredTip => StoredEnd > Sequence.Zero ? new BatchRef(Id, StoredEnd.Preceding, _storedDigest) : null;

    /// <summary>W11: the stored tip's statement is kept, and its publisher's signature was verified.</summary>
    public bool IsTipSigned { get; private set; }

    /// <summary>One above the stored tip.</summary>
    public Sequence StoredEnd => _window.StoredEnd;

    /// <summary>One above the highest slot known certified.</summary>
    public Sequence CertifiedEnd => _window.CertifiedEnd;

    /// <summary>Slots of which something is kept: at most six windows (C3).</summary>
    public int SlotCount => _window.Count;

    /// <summary>Where a fetch begins.</summary>
    public Sequence FirstMissing => _jump is { } jump ? jump.Batch.Sequence.Following : _window.FirstMissing;

    /// <summary>S3: bodies below it are not waited for.</summary>
    public Sequence BodiesFrom { get; private set; }

    /// <summary>Something is certified whose body or certificate is not recorded here.</summary>
    public bool IsBehind => _window.CertifiedEnd > _window.RecordedEnd;

    /// <summary>The lowest slot that may be acked.</summary>
    public Sequence NextOpen => _window.NextOpen;

    /// <summary>W10: the publisher signed two batches for one slot of this stream.</summary>
    public bool IsPublisherProven { get; private set; }

    /// <summary>W11: the place among its publisher's live incarnations; null while there is none, and so no fresh ack.</summary>
    public Listing? Listing { get; set; }

    /// <summary>W11: I acked something here that is not known certified.</summary>
    public bool HasUncertifiedAck => _window.LastAck is { } last && last.Batch.Sequence >= _window.RecordedEnd;

    /// <summary>Something here is known certified.</summary>
    public bool IsCertifiedAnywhere => _window.CertifiedEnd > Sequence.Zero;

    /// <summary>Nothing here is certified, and all that was acked has been signed: without the stream nothing breaks but its own progress.</summary>
    public bool IsForgettable => !IsCertifiedAnywhere && !_window.Known.Any(known => known.Slot is { Acked: not null, Ack: null });

    /// <summary>W11: in this slot something is known that stands above the list of live incarnations: what is stored, certified, or acked already (W2, W3, W5).</summary>
    public bool IsDecided(Sequence sequence) => sequence < _window.CertifiedEnd || _window.Find(sequence) is { Acked: not null };

    /// <summary>W4: the link that the first batch is held for.</summary>
    public Ancestor? AwaitedLink => _window.Find(Sequence.Zero) is { Held.Statement.Statement.Ancestor: { Kind: AncestorKind.Link } link } ? link : null;

    /// <summary>What I claim above the stored tip, durable or not, lowest first.</summary>
    public IEnumerable<AckStatement> Claims => _window.Known
        .Where(known => known.Slot.Acked is not null)
        .Select(known => new AckStatement(known.Slot.Acked!.Reference, known.Slot.AckBase));

    /// <summary>W1: acks above the stored tip that may be shown, lowest first.</summary>
    public IEnumerable<VerifiedAck> SignedAcks => _window.Known.Select(known => known.Slot.Ack).OfType<VerifiedAck>();

    /// <summary>A batch has passed verification.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="joined">W11: the stream joins these; null when it is listed already, or is not to be.</param>
    /// <param name="group">The open commit.</param>
    /// <param name="effects">What follows.</param>
    public void OnBatch(VerifiedBatch batch, Incarnations? joined, CommitGroup group, WitnessEffects effects)
    {
        Header ??= batch.Statement.Statement.Header;
        joined?.Join(this);
#if PLANTED
        IsPublisherProven &= !Crypto.Planted.Is("proven-acked");
#endif
        if (batch.Sequence < StoredEnd)
        {
            // W2, W3: the slot is stored; its statement and certificate are the journal's to show.
            effects.Offers.Add(new StoredSlotOffer(batch.Statement));
            return;
        }

        if (!_window.Holds(batch.Sequence))
        {
            Refuse(batch.Statement, RefusalReason.OutOfWindow, effects);
            effects.Ignored.Add(IgnoreReason.OutOfWindow);
            return;
        }

        SlotState slot = _window.At(batch.Sequence);
#if PLANTED
        if (Crypto.Planted.Is("accuse-two-signatures") && slot.Original is { } same && same.Signature != batch.Statement.Signature)
        {
            Prove(same, batch.Statement, effects);
        }
#endif
        if (slot.Original is { } first && first.Digest != batch.Digest)
        {
            Prove(first, batch.Statement, effects);
        }

        if (slot.Covered == batch.Digest)
        {
            OnCoveredBatch(slot, batch, group, effects);
        }
        else if (slot.Acked is { } acked)
        {
            OnBatchInAckedSlot(slot, acked, batch, effects);
        }
        else if (slot.IsClosedTo(batch.Digest))
        {
            // W5: another batch is certified here; this one can never be.
            effects.Ignored.Add(IgnoreReason.BelowTip);
        }
        else if (IsPublisherProven)
        {
            // W10: no fresh acks in a stream whose publisher is proven faulty.
            Refuse(batch.Statement, RefusalReason.ProvenFaulty, effects);
            effects.Ignored.Add(IgnoreReason.ProvenFaulty);
        }
        else if (!batch.Statement.IsSigned)
        {
            // W1: coverage by a certificate may stand in for the publisher's signature (S1), and this slot's is not known.
            effects.Ignored.Add(IgnoreReason.NotCovered);
        }
        else if (Listing is not null && BaseFor(batch) is { } ackBase)
        {
            Ack(slot, batch, ackBase, group, effects);
            AckHeld(group, effects);
        }
        else if (Held.Hold(slot, batch) is { } reason)
        {
            effects.Ignored.Add(reason);
        }
    }

    /// <summary>W5: a verified certificate, with as many verified statements of the slots that it covers as the sender showed.</summary>
    public void OnCertificate(VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements, CommitGroup group, WitnessEffects effects)
    {
        Header ??= statements.FirstOrDefault(statement => statement.Reference.Stream == Id)?.Statement.Header;
        JumpIfGivenUp(group, effects);
        if (Adoption.Take(certificate, statements, effects) is { } reason)
        {
            effects.Ignored.Add(reason);
            return;
        }

        Store(group, effects);
    }

    /// <summary>S3: bodies below a floor are given up.</summary>
    public void SkipTo(Sequence floor, CommitGroup group, WitnessEffects effects)
    {
        if (floor > BodiesFrom)
        {
            BodiesFrom = floor;
            _isFloorRecorded = false;
            Store(group, effects);
        }
    }

    /// <summary>S3: all up to a certificate's batch is given up, as soon as a statement says whose stream it is.</summary>
    public void JumpTo(VerifiedCertificate certificate, CommitGroup group, WitnessEffects effects)
    {
        _jump = certificate;
        JumpIfGivenUp(group, effects);
    }

    /// <summary>W4: the link target that the first batch is held for may be stored now.</summary>
    public void OnLinkTargetStored(CommitGroup group, WitnessEffects effects) => AckHeld(group, effects);

    /// <summary>W1: the record of an ack is durable, and the ack signed.</summary>
    public void OnAckDurable(VerifiedAck ack, WitnessEffects effects)
    {
        if (_window.Find(ack.Batch.Sequence) is { } slot)
        {
            slot.Ack = ack;
            if (slot.OwesConflict)
            {
                slot.OwesConflict = false;
                RefuseWithAck(slot, effects);
            }
        }
    }

    /// <summary>W7: a certificate and the bodies below it are durable; subscribers and peers may see them.</summary>
    public void OnTipDurable(VerifiedCertificate certificate, CommitGroup group, WitnessEffects effects)
    {
        Sequence from = StoredEnd;
        certificate.Certificate.Pack();
        _storedDigest = certificate.Batch.Digest;
        IsTipSigned = _window.Find(certificate.Batch.Sequence)?.StatementOf(certificate.Batch.Digest) is { IsSigned: true };
        foreach (SlotState slot in _window.Stored(certificate.Batch.Sequence))
        {
            Held.Release(slot);
        }

        effects.StoredTips.Add(new StoredTip(Header!, from, certificate));
        AckHeld(group, effects);
    }

    /// <summary>What I acked in a slot above the stored tip, with the original that its publisher signed.</summary>
    public VerifiedStatement? AckedAt(Sequence sequence) => _window.Find(sequence)?.Acked;

    /// <summary>W11: what the publisher signed and I acked above the stored tip and may show, the newest slot first.</summary>
    public List<VerifiedStatement> ShownOriginals(int max) =>
    [
        .. _window.Known.Reverse()
            .Where(known => known.Slot is { Ack: not null, Acked.IsSigned: true })
            .Select(known => known.Slot.Acked!)
            .Take(max),
    ];

    /// <summary>Gives back what is held: the stream is forgotten.</summary>
    public void Abandon()
    {
        foreach ((Sequence _, SlotState slot) in _window.Known)
        {
            Held.Release(slot);
        }
    }

    /// <summary>What a certificate covers in a slot above the stored tip is known.</summary>
    public bool IsCovered(Sequence sequence) => sequence < _window.RecordedEnd || _window.Find(sequence) is { Covered: not null };

    /// <summary>The statement of a batch above the stored tip, if it is known.</summary>
    public VerifiedStatement? StatementOf(BatchRef batch) => _window.Find(batch.Sequence)?.StatementOf(batch.Digest);

    /// <summary>C2: certificates of slots above the stored tip, lowest first.</summary>
    public IEnumerable<VerifiedCertificate> Certificates => _window.Known.Select(known => known.Slot.Certificate).OfType<VerifiedCertificate>();

    /// <summary>C2: in its slot, above the stored tip, I acked another batch, or know another certified.</summary>
    public bool Contradicts(BatchRef batch) =>
        _window.Find(batch.Sequence) is { } slot && ((slot.Acked is { } acked && acked.Digest != batch.Digest) || (slot.Covered is { } covered && covered != batch.Digest));

    /// <summary>W6: nothing of a batch that others acked is here, and no certificate says what stands in its slot.</summary>
    public bool Lacks(BatchRef batch) =>
        _witness.MayClaim && !IsPublisherProven && batch.Sequence >= StoredEnd && batch.Sequence.Value < _window.Limit && !IsCovered(batch.Sequence) && StatementOf(batch) is null;

    /// <summary>W3, W10: two originals of the publisher in one slot; one pair is kept per stream.</summary>
    public void Prove(VerifiedStatement first, VerifiedStatement second, WitnessEffects effects)
    {
        if (IsPublisherProven || !first.IsSigned || !second.IsSigned)
        {
            effects.Ignored.Add(IgnoreReason.AlreadyProven);
            return;
        }

        IsPublisherProven = true;
        _witness.Keep(VerifiedEvidence.Of(first, second), effects);
    }

    /// <summary>W9: memory is lost: no ack is shown any more.</summary>
    public void Silence()
    {
        foreach ((Sequence _, SlotState slot) in _window.Known)
        {
            slot.Ack = null;
        }
    }

    /// <summary>W9: a batch record is replayed.</summary>
    public void RestoreBatch(VerifiedStatement statement, Sequence? ackBase)
    {
        Header ??= statement.Statement.Header;
        if (ackBase is { } @base)
        {
            _window.LastAck = new LastAck(statement.Reference, @base);
        }

        if (statement.Sequence < _window.RecordedEnd)
        {
            return;
        }

        SlotState slot = _window.At(statement.Sequence);
#if PLANTED
        if (Crypto.Planted.Is("ack-table-in-memory") && ackBase is not null)
        {
            _window.LastAck = null;
            slot.Fetched = statement;
            return;
        }
#endif
        if (ackBase is not null)
        {
            slot.Acked = statement;
            slot.AckBase = ackBase.Value;
        }
        else
        {
            slot.Fetched = statement;
            slot.IsFetchedRecorded = true;
        }
    }

    /// <summary>W9: a certificate record is replayed; the bodies that it covers came before it. False when they did not: the journal contradicts itself.</summary>
    public bool RestoreCertificate(VerifiedCertificate certificate, WitnessEffects effects)
    {
        // Nothing is held yet, so that all that this emits is the record that is being replayed.
        CommitGroup group = new();
        OnCertificate(certificate, [], group, new WitnessEffects());
        foreach ((StreamWitness _, VerifiedCertificate durable) in group.Tips)
        {
            OnTipDurable(durable, group, effects);
        }

        return StoredEnd > certificate.Batch.Sequence;
    }

    /// <summary>S2: a checkpoint's tip is replayed.</summary>
    public void RestoreTip(StreamHeader header, BatchRef? tip, bool isTipSigned)
    {
        Header = header;
        if (tip is { } stored)
        {
            _storedDigest = stored.Digest;
            IsTipSigned = isTipSigned;
            _window.Restore(stored);
        }
    }

    /// <summary>S3: a jump is replayed.</summary>
    public void RestoreJump(StreamHeader header, VerifiedCertificate certificate, WitnessEffects effects)
    {
        Header = header;
        _window.Certified(certificate.Batch.Sequence);
        _window.Recorded(certificate.Batch);
        OnTipDurable(certificate, new CommitGroup(), effects);
    }

    /// <summary>W9: evidence about the publisher in this stream is replayed.</summary>
    public void RestoreEvidence() => IsPublisherProven = true;

    private HeldBatches Held => new(_window, _witness.HeldBytes);

    private Adoption Adoption => new(_window, Held);

    private static void Refuse(VerifiedStatement about, RefusalReason reason, WitnessEffects effects) =>
        effects.Refusals.Add(new PublisherRefusal(about.Statement.Header.Publisher, new Refusal(about.Reference.Slot, reason)));

    /// <summary>W5: a certificate beats everything else; the covered batch is stored, and not acked.</summary>
    private void OnCoveredBatch(SlotState slot, VerifiedBatch batch, CommitGroup group, WitnessEffects effects)
    {
        if (slot.IsCoveredRecorded)
        {
            // W2: its certificate is the answer once it is durable.
            effects.Ignored.Add(IgnoreReason.NotDurableYet);
            return;
        }

        Adoption.Record(slot, batch, effects);
        if (Adoption.Cover(batch.Reference, slot.CoveredFrom, [], effects) is { } reason)
        {
            effects.Ignored.Add(reason);
        }

        Store(group, effects);
    }

    private static void OnBatchInAckedSlot(SlotState slot, VerifiedStatement acked, VerifiedBatch batch, WitnessEffects effects)
    {
        bool isConflict = acked.Digest != batch.Digest;
        if (slot.Ack is not { } ack)
        {
            // W1: neither a repeat nor a refusal shows an ack that is not durable; both leave by themselves when it is.
            slot.OwesConflict |= isConflict;
            effects.Ignored.Add(IgnoreReason.NotDurableYet);
        }
        else if (isConflict)
        {
            // W3: keep the first ack (consistency rests on it) and answer with it.
            RefuseWithAck(slot, effects);
        }
        else
        {
            // W2: a retry means that our ack may be lost. The same leaf again, and no new record.
            effects.PublisherAcks.Add(new PublisherAcks(acked.Statement.Header.Publisher, ack.ToBundle()));
        }
    }

    /// <summary>W3: the answer to another batch in a slot is the one that I acked there, as its publisher signed it.</summary>
    private static void RefuseWithAck(SlotState slot, WitnessEffects effects)
    {
        VerifiedStatement acked = slot.Acked!;
        effects.Refusals.Add(new PublisherRefusal(
            acked.Statement.Header.Publisher,
            new Refusal(acked.Reference.Slot, RefusalReason.Conflict, SignedStatement.From(acked), slot.Ack!.ToBundle())));
    }

    /// <summary>W1: the base of an ack for this batch; null when it must not be acked (yet).</summary>
    private Sequence? BaseFor(VerifiedBatch batch)
    {
#if PLANTED
        if ((Crypto.Planted.Is("ack-leaves-hole") && batch.Sequence > NextOpen) || (Crypto.Planted.Is("sequence-off-by-one") && batch.Sequence == NextOpen.Following))
        {
            return batch.Sequence;
        }
#endif

        // Every lower slot is acked by me or covered by recorded certificates: an ack that left one uncovered could kill the stream.
        // Nor a slot that a certificate reaches though its batch there is not known yet: W5 stores that batch, and never acks there.
        if (!_witness.MayClaim || batch.Sequence != NextOpen || batch.Sequence.Value >= _window.Limit || _window.IsReached(batch.Sequence))
        {
            return null;
        }

        Ancestor ancestor = batch.Statement.Statement.Ancestor;
        if (ancestor.Kind != AncestorKind.Previous)
        {
#if PLANTED
            if (Crypto.Planted.Is("link-unchecked"))
            {
                return Sequence.Zero;
            }
#endif
            return ancestor.Kind == AncestorKind.None || _witness.IsStored(batch.Statement.Statement.Header, ancestor) ? Sequence.Zero : null;
        }

        BatchRef before = new(Id, batch.Sequence.Preceding, ancestor.Digest);
        if (_window.RecordedTip is { } tip && tip.Slot == before.Slot ? tip != before : _window.Find(before.Sequence) is { } slot && slot.IsClosedTo(before.Digest))
        {
            // W5: the chain continues from what is covered there, though I acked another batch.
            return null;
        }

        if (_window.LastAck is { } last && last.Batch == before)
        {
            // C1: an ack reaches less than a window.
            ulong reach = Math.Min(batch.Sequence.Value - last.Base.Value, _window.Size - 1);
            return new Sequence(batch.Sequence.Value - reach);
        }

#if PLANTED
        if (Crypto.Planted.Is("base-too-low") && _window.RecordedTip == before && _window.LastAck is { } kept && batch.Sequence.Value - kept.Base.Value < _window.Size)
        {
            return kept.Base;
        }
#endif

        // The batch covered there instead: a base kept across adoption would claim slots where I acked another batch.
        return _window.RecordedTip == before ? batch.Sequence : null;
    }

    private void Ack(SlotState slot, VerifiedBatch batch, Sequence ackBase, CommitGroup group, WitnessEffects effects)
    {
        Held.Release(slot);
        slot.Acked = batch.Statement;
        slot.AckBase = ackBase;
        _window.LastAck = new LastAck(batch.Reference, ackBase);
        Listing!.OnAck();
        effects.Records.Add(new BatchRecord(batch, ackBase));
        group.Acks.Add((this, new AckStatement(batch.Reference, ackBase)));
    }

    private void AckHeld(CommitGroup group, WitnessEffects effects)
    {
        while (!IsPublisherProven
            && Listing is not null
            && _window.Find(NextOpen) is { Held: { } held, Acked: null, Covered: null } slot
            && BaseFor(held) is { } ackBase)
        {
            Ack(slot, held, ackBase, group, effects);
        }
    }

    /// <summary>S3: slots below an accepted floor are stored without their bodies.</summary>
    private void SkipBodies(WitnessEffects effects)
    {
        for (Sequence sequence = _window.FirstMissing; sequence < BodiesFrom; sequence = sequence.Following)
        {
            if (_window.Find(sequence) is not { Covered: { } covered } slot || slot.StatementOf(covered) is not { } statement)
            {
                return;
            }

            if (!_isFloorRecorded)
            {
                _isFloorRecorded = true;
                effects.Records.Add(new FloorRecord(Header!, BodiesFrom));
            }

            if (!slot.IsCoveredRecorded)
            {
                Held.Release(slot);
                slot.Fetched = statement;
                slot.IsFetchedRecorded = true;
                effects.Records.Add(new SkippedRecord(statement));
            }
        }
    }

    /// <summary>S3: statements and certificates have gone too; the chain goes on from a certificate.</summary>
    private void JumpIfGivenUp(CommitGroup group, WitnessEffects effects)
    {
        if (Header is not null && _jump is { } jump)
        {
            _jump = null;
            if (jump.Batch.Sequence >= _window.RecordedEnd)
            {
                _window.Certified(jump.Batch.Sequence);
                _window.Recorded(jump.Batch);
                effects.Records.Add(new JumpRecord(Header, jump));
                group.Tips.Add((this, jump));
            }
        }
    }

    private void Store(CommitGroup group, WitnessEffects effects)
    {
        SkipBodies(effects);
        foreach (VerifiedCertificate certificate in Adoption.Store(effects))
        {
#if PLANTED
            if (Crypto.Planted.Is("tip-before-durable"))
            {
                OnTipDurable(certificate, group, effects);
                continue;
            }
#endif
            group.Tips.Add((this, certificate));
        }

        AckHeld(group, effects);
    }
}

/// <summary>What a stream asks of the witness that it is part of.</summary>
internal interface IWholeWitness
{
    /// <summary>C3: whose stream it is became known.</summary>
    void OnNamed(StreamHeader header);

    /// <summary>W4: what all streams hold.</summary>
    HeldBytes HeldBytes { get; }

    /// <summary>W9: false once memory is lost. Then batches are only held, for certificates that may cover them.</summary>
    bool MayClaim { get; }

    /// <summary>W1: whether a link's target is at or below the stored tip of its own stream.</summary>
    bool IsStored(StreamHeader header, Ancestor link);

    /// <summary>W10: evidence against the stream's publisher is recorded, told, and outlives the stream, which may be forgotten (W11).</summary>
    void Keep(VerifiedEvidence evidence, WitnessEffects effects);
}
