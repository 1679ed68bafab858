using System.Runtime.InteropServices;
using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>A whole witness: all its streams, its group commits, its acks. Hosts and simulator drive nothing else.</summary>
/// <remarks>
/// Life: restore the records of the journal in order, <see cref="Start"/>, then inputs in any order. After each input perform the effects
/// as <see cref="WitnessEffects"/> says. Every group of records is one commit: <see cref="OnSealed"/> names it, <see cref="OnDurable"/> ends it.
/// </remarks>
public sealed class WitnessRole : ILinkTargets
{
    /// <summary>An incarnation may be this far ahead of the clock. Unit: milliseconds. A day.</summary>
    public const long IncarnationAheadMax = 24L * 60 * 60 * 1000;

    /// <summary>W8: stored tips that changed are told to the peers this often. Unit: ticks.</summary>
    private const int PeerTipTicks = 10;

    private readonly Committee _committee;
    private readonly WitnessIndex _self;
    private readonly NodeLimits _limits;
    private readonly AckSigner _signer;
    private readonly HeldBytes _heldBytes;
    private readonly UnknownAcks _unknownAcks;
    private readonly Incarnations _incarnations;
    private readonly OrderedDictionary<StreamId, WitnessStream> _streams = [];
    private readonly SortedDictionary<StreamId, SortedSet<StreamId>> _awaitedBy = [];
    private readonly Queue<(Mark Mark, CommitGroup Group)> _sealed = new();
    private readonly SortedSet<StreamId> _behind = [];
    private readonly SortedSet<StreamId> _risen = [];
    private readonly SortedDictionary<StreamId, SortedSet<Sequence>> _touched = [];
    private CommitGroup _open = new();
    private WitnessSet _provenWitnesses;
    private Run _run;
    private long _now;
    private int _ticks;

    public WitnessRole(Committee committee, WitnessIndex self, ISigner signer, NodeLimits limits)
    {
        ArgumentNullException.ThrowIfNull(committee);
        ArgumentNullException.ThrowIfNull(limits);
        _committee = committee;
        _self = self;
        _limits = limits;
        _signer = new AckSigner(committee, self, signer);
        _heldBytes = new HeldBytes(limits.HeldBytesMax);
        _unknownAcks = new UnknownAcks(committee.Size.Count, limits.UnknownAcksMax);
        _incarnations = new Incarnations(limits);
    }

    /// <summary>Streams known, in no order.</summary>
    public int StreamCount => _streams.Count;

    /// <summary>W4: bodies that wait for a predecessor. Unit: bytes.</summary>
    public long HeldBodyBytes => _heldBytes.Value;

    /// <summary>C3: slots of which something is kept, in the stream that has most.</summary>
    public int SlotCountMax => _streams.Count == 0 ? 0 : _streams.Values.Max(stream => stream.Witness.SlotCount);

    /// <summary>The last commit known durable.</summary>
    public Mark DurableMark { get; private set; }

    /// <summary>W9: a batch record is replayed.</summary>
    public void RestoreBatch(VerifiedStatement statement, Sequence? ackBase)
    {
        ArgumentNullException.ThrowIfNull(statement);
        StreamWitness witness = StreamFor(statement.Reference.Stream).Witness;
        witness.RestoreBatch(statement, ackBase);
        if (ackBase is not null)
        {
            _incarnations.Join(witness);
            witness.Listing!.OnAck();
        }
    }

    /// <summary>W11: the record of a retirement is replayed.</summary>
    public void RestoreRetired(StreamHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        _incarnations.RestoreRetired(header, _streams.GetValueOrDefault(header.Id)?.Witness);
    }

    /// <summary>S2: a stream of a checkpoint is replayed: all up to its tip is stored. What stands above it follows.</summary>
    public void RestoreStream(StreamHeader header, VerifiedCertificate? tip, VerifiedStatement? tipStatement)
    {
        ArgumentNullException.ThrowIfNull(header);
        StreamFor(header.Id).Witness.RestoreTip(header, tip, tipStatement);
    }

    /// <summary>W11, S2: a list of a checkpoint is replayed, after its streams.</summary>
    public void RestoreIncarnations(IncarnationsRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        _incarnations.Restore(record, id => _streams.GetValueOrDefault(id)?.Witness);
    }

    /// <summary>S3: a jump is replayed.</summary>
    public void RestoreJump(StreamHeader header, VerifiedCertificate certificate, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(certificate);
        StreamFor(header.Id).Witness.RestoreJump(header, certificate, effects);
    }

    /// <summary>S2: what a checkpoint has to hold beside streams and evidence.</summary>
    public IEnumerable<WitnessRecord> Remembered() => _incarnations.Remembered();

    /// <summary>W11: a retired stream was forgotten.</summary>
    public void RestoreForgotten(StreamId stream) => Forget(stream);

    /// <summary>W9: a certificate record is replayed. False when the bodies that it covers were not: the journal contradicts itself.</summary>
    public bool RestoreCertificate(VerifiedCertificate certificate, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return StreamFor(certificate.Batch.Stream).Witness.RestoreCertificate(certificate, effects);
    }

    /// <summary>W9: evidence is replayed.</summary>
    public void RestoreEvidence(VerifiedEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        if (evidence.Witness is { } witness)
        {
            _provenWitnesses = _provenWitnesses.With(witness);
        }
        else
        {
            StreamFor(evidence.Slot.Stream).Witness.RestoreEvidence();
        }
    }

    /// <summary>W9: the journal is replayed; a run begins. Acks that are above the stored tips are signed again once the run's record is durable.</summary>
    public void Start(Run run, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        _run = run;
        effects.Records.Add(new RunRecord(run));
        foreach (WitnessStream stream in _streams.Values)
        {
            foreach (AckStatement statement in stream.Witness.Claims)
            {
                _open.Acks.Add((stream.Witness, statement));
            }
        }
    }

    /// <summary>A batch was verified, and its publisher may publish in its topic. Rules W1 to W5.</summary>
    public void OnBatch(VerifiedBatch batch, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(effects);
        BatchStatement statement = batch.Statement.Statement;
        StreamWitness? known = _streams.GetValueOrDefault(statement.Header.Id)?.Witness;
        bool isFresh = known is not { Listing: not null } && known?.IsDecided(batch.Sequence) != true;
        if (isFresh && !batch.Statement.IsSigned)
        {
            effects.Ignored.Add(IgnoreReason.NotCovered);
            return;
        }

        // C3: no memory is spent on a stream for a batch that could not even be held.
        if (known is null && WhyNotBegun(statement) is { } reason)
        {
            effects.Refusals.Add(new PublisherRefusal(statement.Header.Publisher, new Refusal(batch.Reference.Slot, reason)));
            effects.Ignored.Add(reason == RefusalReason.TooFarAhead ? IgnoreReason.TooFarAhead : IgnoreReason.OutOfWindow);
            return;
        }

        if (isFresh && WhyNotLive(statement, effects) is { } notLive)
        {
            effects.Refusals.Add(new PublisherRefusal(statement.Header.Publisher, _incarnations.Refuse(statement, notLive)));
            effects.Ignored.Add(IgnoreReason.NotLive);
            return;
        }

        WitnessStream stream = StreamFor(statement.Header.Id, effects);
        stream.Witness.OnBatch(batch, isFresh ? _incarnations : null, _open, effects);
        AwaitLink(stream);
        CertifyTouched(effects);
        NoticeBehind(stream);
#if PLANTED
        if (Planted.Is("ack-before-flush"))
        {
            SignAcks([.. _open.Acks], effects);
            _open.Acks.Clear();
        }
#endif
    }

    /// <summary>Verified acks of any witness. Rules C1 to C3; W7: a quorum makes a certificate.</summary>
    public void OnAcks(IReadOnlyList<VerifiedAck> acks, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(acks);
        ArgumentNullException.ThrowIfNull(effects);
        foreach (VerifiedAck ack in acks)
        {
            if (_streams.TryGetValue(ack.Batch.Stream, out WitnessStream? stream))
            {
                Count(stream, ack, effects);
            }
            else if (!_unknownAcks.Add(ack))
            {
                effects.Ignored.Add(IgnoreReason.UnknownAcksOverflow);
            }
        }

        CertifyTouched(effects);
    }

    /// <summary>W5: a verified certificate, with the verified statements that its sender showed of the slots that it covers.</summary>
    public void OnCertificate(VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(effects);
        WitnessStream stream = StreamFor(certificate.Batch.Stream, effects);
        stream.Witness.OnCertificate(certificate, statements, _open, effects);
        CertifyTouched(effects);
        NoticeBehind(stream);
    }

    /// <summary>S3: a peer that was asked for what is missing named its floor.</summary>
    /// <param name="peer">Whose.</param>
    /// <param name="floor">Its lowest body; its lowest statement when it was asked without bodies.</param>
    /// <param name="certificate">Its proof, verified.</param>
    /// <param name="isOfStatements">It was asked without bodies.</param>
    /// <param name="effects">What follows.</param>
    public void OnFloor(WitnessIndex peer, Slot floor, VerifiedCertificate certificate, bool isOfStatements, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(effects);
        if (_streams.TryGetValue(floor.Stream, out WitnessStream? stream) && stream.Witness.IsBehind)
        {
            stream.Skipping ??= new Skipping(_committee, _self, stream.Witness);
            stream.Skipping.OnFloor(peer, floor, certificate, isOfStatements, _open, effects);
        }
    }

    /// <summary>S3: a peer that was asked for a slot stores nothing so high.</summary>
    public void OnLacking(WitnessIndex peer, Slot slot)
    {
        if (_streams.TryGetValue(slot.Stream, out WitnessStream? stream) && stream.Witness.IsBehind)
        {
            stream.Skipping ??= new Skipping(_committee, _self, stream.Witness);
            stream.Skipping.OnLacking(peer, slot.Sequence);
        }
    }

    /// <summary>W3: the stored statement of a slot that a <see cref="StoredSlotOffer"/> asked for differs from the offered one.</summary>
    public void OnStoredConflict(VerifiedStatement stored, VerifiedStatement offered, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(offered);
        StreamFor(stored.Reference.Stream, effects).Witness.Prove(stored, offered, effects);
    }

    /// <summary>W10: evidence from a peer. The first about an offender is kept and passed on.</summary>
    public void OnEvidence(VerifiedEvidence evidence, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(effects);
        bool isKnown = evidence.Witness is { } witness
            ? _provenWitnesses.Contains(witness)
            : _streams.TryGetValue(evidence.Slot.Stream, out WitnessStream? stream) && stream.Witness.IsPublisherProven;
        if (isKnown)
        {
            effects.Ignored.Add(IgnoreReason.AlreadyProven);
            return;
        }

        RestoreEvidence(evidence);
        effects.Records.Add(new EvidenceRecord(evidence));
        effects.Evidence.Add(evidence);
    }

    /// <summary>All records emitted so far are in this commit or an earlier one.</summary>
    public void OnSealed(Mark mark)
    {
        _sealed.Enqueue((mark, _open));
        _open = new CommitGroup();
    }

    /// <summary>This commit is durable, and so are all before it: acks leave, tips rise.</summary>
    public void OnDurable(Mark mark, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        DurableMark = mark;
        while (_sealed.TryPeek(out (Mark Mark, CommitGroup Group) next) && next.Mark <= mark)
        {
            _sealed.Dequeue();
            SignAcks(CollectionsMarshal.AsSpan(next.Group.Acks), effects);
            RaiseTips(next.Group, effects);
        }

        CertifyTouched(effects);
    }

    /// <summary>W8: a peer's connection opened: it gets my stored tips and my acks above them.</summary>
    public void OnPeerConnected(WitnessIndex peer, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        foreach (WitnessStream stream in _streams.Values)
        {
            if (stream.Witness.StoredTip is { } tip)
            {
                effects.PeerTips.Add(new PeerTip(peer, tip));
            }

            foreach (VerifiedAck ack in stream.Witness.SignedAcks)
            {
                effects.PeerResends.Add((peer, ack.ToBundle()));
#if PLANTED
                effects.PeerResends.RemoveAll(_ => Planted.Is("acks-not-exchanged"));
#endif
            }
        }
    }

    /// <summary>Time passed.</summary>
    /// <param name="now">The clock. Unit: milliseconds since 1970.</param>
    /// <param name="effects">What follows.</param>
    public void OnTick(long now, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        _now = now;
        _incarnations.OnTick(now);
        _ticks = (_ticks + 1) % PeerTipTicks;
#if PLANTED
        _ticks = Planted.Is("certificate-not-passed-on") ? 1 : _ticks;
#endif
        if (_ticks == 0)
        {
            foreach (StreamId id in _risen)
            {
                effects.PeerTips.Add(new PeerTip(null, _streams[id].Witness.StoredTip!));
            }

            _risen.Clear();
        }

        foreach (StreamId id in _behind.ToArray())
        {
            FetchIfMissing(_streams[id], effects);
        }
    }

    /// <summary>A fetch ended: the peer had no more, or failed. What is still missing is asked of another at the next tick.</summary>
    public void OnFetchEnded(StreamId stream)
    {
        if (_streams.TryGetValue(stream, out WitnessStream? state))
        {
            state.FetchingFrom = null;
            state.TicksMissing = 0;
        }
    }

    /// <inheritdoc/>
    bool ILinkTargets.IsStored(StreamHeader header, Ancestor link) => IsStored(header, link);

    private static StreamId LinkedStream(StreamHeader header, Ancestor link) =>
        new StreamHeader(header.Cluster, header.Publisher, header.Topic, link.Incarnation).Id;

    private bool IsStored(StreamHeader header, Ancestor link) =>
        _streams.TryGetValue(LinkedStream(header, link), out WitnessStream? target)
        && target.Witness.StoredTip is { } tip
        && (tip.Batch.Sequence > link.Sequence || tip.Batch == new BatchRef(tip.Batch.Stream, link.Sequence, link.Digest));

    /// <summary>Why a stream that is not known does not begin with this batch; null when it does.</summary>
    private RefusalReason? WhyNotBegun(BatchStatement statement) =>
        statement.Header.Incarnation.Counter > (ulong)_now + (ulong)IncarnationAheadMax ? RefusalReason.TooFarAhead
        : statement.Sequence.Value >= (ulong)_committee.Limits.WindowSlots ? RefusalReason.OutOfWindow
        : null;

    /// <summary>W11: why there is no fresh ack in this incarnation; null when it is live, or may join.</summary>
    private RefusalReason? WhyNotLive(BatchStatement statement, WitnessEffects effects)
    {
        List<StreamWitness> forgotten = [];
        RefusalReason? reason = _incarnations.Admit(statement.Header, effects, forgotten);
        forgotten.ForEach(stream => Forget(stream.Id));
        return reason;
    }

    private void Forget(StreamId id)
    {
        if (_streams.TryGetValue(id, out WitnessStream? stream))
        {
            stream.Witness.Abandon();
            AwaitLink(stream);
            _streams.Remove(id);
            _behind.Remove(id);
            _risen.Remove(id);
            _touched.Remove(id);
        }
    }

    /// <summary>A stream that becomes known takes the acks that came before it (C3); its caller certifies what they complete.</summary>
    private WitnessStream StreamFor(StreamId id, WitnessEffects effects)
    {
        bool isNew = !_streams.ContainsKey(id);
        WitnessStream stream = StreamFor(id);
        if (isNew)
        {
            _unknownAcks.Take(id).ForEach(ack => Count(stream, ack, effects));
        }

        return stream;
    }

    private WitnessStream StreamFor(StreamId id)
    {
        if (!_streams.TryGetValue(id, out WitnessStream? stream))
        {
            stream = new WitnessStream(new StreamWitness(id, _committee, _heldBytes, this), new AckCollector(_committee));
            _streams.Add(id, stream);
        }

        return stream;
    }

    private void NoticeBehind(WitnessStream stream)
    {
        if (stream.Witness.IsBehind && _behind.Add(stream.Witness.Id))
        {
            stream.Skipping = null;
        }
    }

    /// <summary>W4: remembers whose tip a held first batch waits for; one entry per stream (C3).</summary>
    private void AwaitLink(WitnessStream stream)
    {
        StreamWitness witness = stream.Witness;
        StreamId? awaited = witness.AwaitedLink is { } link ? LinkedStream(witness.Header!, link) : null;
        if (awaited == stream.AwaitedStream)
        {
            return;
        }

        if (stream.AwaitedStream is { } before && _awaitedBy.TryGetValue(before, out SortedSet<StreamId>? others))
        {
            others.Remove(witness.Id);
            if (others.Count == 0)
            {
                _awaitedBy.Remove(before);
            }
        }

        stream.AwaitedStream = awaited;
        if (awaited is { } target)
        {
            _awaitedBy.TryAdd(target, []);
            _awaitedBy[target].Add(witness.Id);
        }
    }

    private void SignAcks(ReadOnlySpan<(StreamWitness Stream, AckStatement Statement)> acks, WitnessEffects effects)
    {
        while (!acks.IsEmpty)
        {
            ReadOnlySpan<(StreamWitness Stream, AckStatement Statement)> part = acks[..Math.Min(acks.Length, FormatLimits.AckLeavesMax)];
            acks = acks[part.Length..];
            AckStatement[] statements = new AckStatement[part.Length];
            for (int i = 0; i < part.Length; i++)
            {
                statements[i] = part[i].Statement;
            }

            VerifiedAck[] signed = _signer.Sign(statements, _run, DurableMark);
            VerifiedAckRoot root = signed[0].Root;
            effects.PeerAcks.Add(new AckBundle(root.Statement, root.Signature, [.. signed.Select(ack => ack.Leaf)]));
#if PLANTED
            effects.PeerAcks.RemoveAll(_ => Planted.Is("acks-not-exchanged"));
#endif
            foreach (IGrouping<PublicKey, VerifiedAck> own in signed.GroupBy(ack => _streams[ack.Batch.Stream].Witness.Header!.Publisher))
            {
                effects.PublisherAcks.Add(new PublisherAcks(own.Key, new AckBundle(root.Statement, root.Signature, [.. own.Select(ack => ack.Leaf)])));
            }

            foreach (VerifiedAck ack in signed)
            {
                WitnessStream stream = _streams[ack.Batch.Stream];
                stream.Witness.OnAckDurable(ack, effects);
                Count(stream, ack, effects);
            }
        }
    }

    private void RaiseTips(CommitGroup group, WitnessEffects effects)
    {
        foreach ((StreamWitness witness, VerifiedCertificate certificate) in group.Tips)
        {
            WitnessStream stream = _streams[witness.Id];
            witness.OnTipDurable(certificate, _open, effects);
            stream.Collector.ForgetBelow(witness.StoredEnd);
            _risen.Add(witness.Id);
            if (_awaitedBy.TryGetValue(witness.Id, out SortedSet<StreamId>? waiting))
            {
                foreach (WitnessStream linked in waiting.Select(id => _streams[id]).ToArray())
                {
                    linked.Witness.OnLinkTargetStored(_open, effects);
                    AwaitLink(linked);
                }
            }
        }
    }

    private void Count(WitnessStream stream, VerifiedAck ack, WitnessEffects effects)
    {
        StreamWitness witness = stream.Witness;
        Sequence slot = ack.Batch.Sequence;
        if (slot < witness.StoredEnd)
        {
            effects.Ignored.Add(IgnoreReason.BelowTip);
            return;
        }

        // C3: what a peer may make me remember is two windows: one may be behind by one, the publisher ahead by one.
        if (slot.Value >= witness.StoredEnd.Value + (2 * (ulong)_committee.Limits.WindowSlots))
        {
            effects.Ignored.Add(IgnoreReason.OutOfWindow);
            return;
        }

        AckOutcome outcome = stream.Collector.OnAck(ack, out _);
        stream.IsDivergent |= witness.AckedAt(slot) is { } acked && acked.Digest != ack.Batch.Digest;
        stream.IsDivergent |= stream.Collector.AcksAt(slot).Any(other => other.Batch != ack.Batch) || outcome == AckOutcome.Conflicting;
        if (stream.IsDivergent)
        {
            Accuse(stream, ack, effects);
        }

        if (outcome != AckOutcome.Counted)
        {
            effects.Ignored.Add(IgnoreReason.RepeatedAck);
            return;
        }

        if (!_touched.TryGetValue(witness.Id, out SortedSet<Sequence>? slots))
        {
            slots = [];
            _touched.Add(witness.Id, slots);
        }

        slots.Add(slot);
    }

    /// <summary>C2: the first evidence about a witness is kept and shown.</summary>
    private void Accuse(WitnessStream stream, VerifiedAck ack, WitnessEffects effects)
    {
        if (_provenWitnesses.Contains(ack.Witness))
        {
            effects.Ignored.Add(IgnoreReason.AlreadyProven);
        }
        else if (AckConflicts.Find(stream.Collector, ack, stream.Witness.StatementOf, _committee) is { } evidence)
        {
            _provenWitnesses = _provenWitnesses.With(ack.Witness);
            effects.Records.Add(new EvidenceRecord(evidence));
            effects.Evidence.Add(evidence);
        }
    }

    private void CertifyTouched(WitnessEffects effects)
    {
        foreach ((StreamId id, SortedSet<Sequence> slots) in _touched)
        {
            WitnessStream stream = _streams[id];

            // From the highest slot down: one certificate covers the slots below it as far as its acks reach and statements are here.
            foreach (Sequence slot in slots.Reverse())
            {
                if (!stream.Witness.IsCovered(slot) && stream.Collector.TryCertify(slot) is { } certificate)
                {
                    stream.Witness.OnCertificate(certificate, [], _open, effects);
                }
            }

            NoticeBehind(stream);
        }

        _touched.Clear();
    }

    /// <summary>W8, S1: a certified body that did not come by itself is fetched, from one peer after the other.</summary>
    private void FetchIfMissing(WitnessStream stream, WitnessEffects effects)
    {
        StreamWitness witness = stream.Witness;
        if (!stream.Witness.IsBehind)
        {
            _behind.Remove(witness.Id);
            stream.FetchingFrom = null;
            stream.TicksMissing = 0;
            return;
        }

        Sequence missing = witness.FirstMissing;
        if (stream.FetchingFrom is { } from && missing > from)
        {
            stream.FetchingFrom = missing;
            stream.TicksMissing = 0;
        }

        stream.TicksMissing++;
        bool isDue = stream.FetchingFrom is null
            ? stream.TicksMissing > _limits.FetchAfterTicks || witness.CertifiedEnd.Value > missing.Value + (ulong)_committee.Limits.WindowSlots
            : stream.TicksMissing > _limits.FetchTimeoutTicks;
        if (!isDue || missing >= witness.CertifiedEnd)
        {
            return;
        }

        stream.FetchTurn = (stream.FetchTurn + 1) % (_committee.Size.Count - 1);
#if PLANTED
        stream.FetchTurn = Planted.Is("fetch-one-peer") ? 0 : stream.FetchTurn;
#endif
        int peer = (_self.Value + 1 + stream.FetchTurn) % _committee.Size.Count;
        stream.FetchingFrom = missing;
        stream.TicksMissing = 0;
        effects.Fetches.Add(new FetchOrder(witness.Id, missing, new WitnessIndex(peer)) { BodiesFrom = witness.BodiesFrom });
    }
}
