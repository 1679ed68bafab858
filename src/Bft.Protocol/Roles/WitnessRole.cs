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
public sealed partial class WitnessRole : IWholeWitness
{
    /// <summary>An incarnation may be this far ahead of the clock. Unit: milliseconds. A day.</summary>
    public const long IncarnationAheadMax = 24L * 60 * 60 * 1000;

    private readonly Committee _committee;
    private readonly NodeLimits _limits;
    private readonly WitnessIndex _self;
    private readonly AckSigner _signer;
    private readonly HeldBytes _heldBytes;
    private readonly UnknownAcks _unknownAcks;
    private readonly Incarnations _incarnations;
    private readonly Recall _recall;
    private readonly Fetches _fetches;
    private readonly TipExchange _tips;
    private readonly AckExchange _acks = new();
    private readonly Offenders _offenders;
    private readonly List<(StreamWitness Stream, AckStatement Statement)> _withheld = []; // bound: acks above stored tips
    private readonly StreamTable<WitnessStream> _streams = new();
    private readonly Dictionary<PublicKey, int> _streamsOf = []; // bound: publishers that a policy admits
    private readonly AwaitedLinks _links = new();
    private readonly Queue<(Mark Mark, CommitGroup Group)> _sealed = new();
    private readonly SortedDictionary<StreamId, SortedSet<Sequence>> _touched = [];
    private CommitGroup _open = new();
    private Run _run;
    private long _now;

    public WitnessRole(Committee committee, WitnessIndex self, ISigner signer, NodeLimits limits)
    {
        ArgumentNullException.ThrowIfNull(committee);
        ArgumentNullException.ThrowIfNull(limits);
        _committee = committee;
        _limits = limits;
        _self = self;
        _signer = new AckSigner(committee, self, signer);
        _heldBytes = new HeldBytes(limits.HeldBytesMax);
        _unknownAcks = new UnknownAcks(committee.Size.Count, limits.UnknownAcksMax);
        _incarnations = new Incarnations(limits);
        _recall = new Recall(committee, self);
        _fetches = new Fetches(committee, self, limits);
        _tips = new TipExchange(committee);
        _offenders = new Offenders(committee);
    }

    /// <summary>Streams known, in no order.</summary>
    public int StreamCount => _streams.Count;

    /// <summary>W4: bodies that wait for a predecessor. Unit: bytes.</summary>
    public long HeldBodyBytes => _heldBytes.Value;

    /// <summary>C3: slots of which something is kept, in the stream that has most.</summary>
    public int SlotCountMax => MostOf(static stream => stream.Witness.SlotCount);

    /// <summary>C3: slots of which acks are kept, in the stream that has most: two windows.</summary>
    public int AckedSlotCountMax => MostOf(static stream => stream.AckedSlotCount);

    /// <summary>C3: acks of streams that are not known; at most <see cref="NodeLimits.UnknownAcksMax"/> of each witness.</summary>
    public int UnknownAckCount => _unknownAcks.Count;

    /// <summary>The last commit known durable.</summary>
    public Mark DurableMark { get; private set; }

    /// <summary>W9: it waits for its peers' answers; it acks nothing yet.</summary>
    public bool IsAsking => _recall.IsAsking;

    /// <summary>W9: it never acks again under this key.</summary>
    public bool HasLostMemory => _recall.HasLostMemory;

    /// <summary>What is known of a stream above what is stored, for those who check; null when it is not known or forgotten.</summary>
    internal StreamWitness? Find(StreamId stream) => _streams.GetValueOrDefault(stream)?.Witness;

    /// <summary>W11: no incarnation at or below it joins afresh, for those who check.</summary>
    internal bool IsRetired(StreamHeader header) => _incarnations.IsRetired(header);

    /// <summary>W9: the journal is replayed; a run begins. Acks that are above the stored tips are signed again once the run's record is durable.</summary>
    public void Start(Run run, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        _run = run;
        _recall.Start(run);
        effects.Records.Add(new RunRecord(run));
        foreach (WitnessStream stream in _streams)
        {
            if (stream.Witness.StoredTip is not null)
            {
                _tips.Restore(stream.Witness);
            }

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
            effects.Ignored.Add(reason switch
            {
                RefusalReason.TooFarAhead => IgnoreReason.TooFarAhead,
                RefusalReason.OverLimit => IgnoreReason.TooManyStreams,
                _ => IgnoreReason.OutOfWindow,
            });
            return;
        }

        if (isFresh && WhyNotLive(statement, effects) is { } notLive)
        {
            effects.Refusals.Add(_incarnations.Refuse(statement, notLive));
            effects.Ignored.Add(IgnoreReason.NotLive);
            return;
        }

        WitnessStream stream = StreamFor(statement.Header.Id, effects);
        stream.Witness.OnBatch(batch, isFresh ? _incarnations : null, _open, effects);
        _offenders.Compare(stream, batch.Statement, effects);
        _links.Update(stream);
        CertifyTouched(effects);
        _fetches.Want(stream);
#if PLANTED
        if (Planted.Is("ack-before-flush") && !_recall.IsAsking)
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
            See(_recall.See(ack), effects);
            if (_streams.TryGetValue(ack.Batch.Stream, out WitnessStream? stream))
            {
                Count(stream, ack, effects);
            }
            else
            {
                KeepUnknown(ack, effects);
            }
        }

        CertifyTouched(effects);
    }

    /// <summary>W5: a verified certificate, with the verified statements that its sender showed of the slots that it covers.</summary>
    public void OnCertificate(VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(effects);
        See(_recall.See(certificate), effects);
        WitnessStream stream = StreamFor(certificate.Batch.Stream, effects);
        _offenders.Compare(stream, certificate, statements, effects);
        stream.Witness.OnCertificate(certificate, statements, _open, effects);
        CertifyTouched(effects);
        _fetches.Want(stream);
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
            if (_recall.IsAsking)
            {
                _withheld.AddRange(next.Group.Acks);
            }
            else
            {
                SignAcks(next.Group.Acks, effects);
            }

            RaiseTips(next.Group, effects);
        }

        CertifyTouched(effects);
    }

    /// <summary>W9: what a peer holds of mine, its question for what I hold of it, or its answer to mine.</summary>
    /// <param name="peer">Who tells.</param>
    /// <param name="mine">Verified acks of mine; empty when it holds none.</param>
    /// <param name="asks">The peer's run, while it asks.</param>
    /// <param name="answers">The run of mine that it answers.</param>
    /// <param name="effects">What follows.</param>
    public void OnRecall(WitnessIndex peer, IReadOnlyList<VerifiedAck> mine, Run? asks, Run? answers, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(mine);
        ArgumentNullException.ThrowIfNull(effects);
        foreach (VerifiedAck ack in mine)
        {
            See(_recall.See(ack), effects);
        }

        if (_recall.OnRecall(peer, asks, answers, effects))
        {
            SignWithheld(effects);
        }
    }

    /// <summary>W8: a peer's connection opened: it gets my stored tips and my acks above them.</summary>
    public void OnPeerConnected(WitnessIndex peer, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        _recall.OnPeerConnected(peer, effects);
        _tips.OnPeerConnected(peer, effects);
        _acks.OnPeerConnected(peer, effects);
#if PLANTED
        effects.PeerResends.RemoveAll(_ => Planted.Is("acks-not-exchanged"));
#endif
    }

    /// <summary>W8: a peer's heartbeat.</summary>
    /// <param name="peer">Whose.</param>
    /// <param name="tips">Digest over its stored tips; null when it is not told.</param>
    /// <param name="offenders">Digest over the keys that it has evidence about; null when it is not told.</param>
    /// <param name="effects">What follows.</param>
    public void OnHeartbeat(WitnessIndex peer, Digest? tips, Digest? offenders, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (tips is { } ofTips)
        {
            _tips.OnDigest(peer, ofTips, effects);
        }

        if (offenders is { } ofOffenders)
        {
            _offenders.OnDigest(peer, ofOffenders, effects);
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
        if (_recall.OnTick(now, effects))
        {
            SignWithheld(effects);
        }

        _tips.OnTick(_offenders.Digest, effects);
        _acks.OnTick(effects);
#if PLANTED
        effects.PeerResends.RemoveAll(_ => Planted.Is("acks-not-exchanged"));
#endif
        _fetches.OnTick(effects);
    }

    /// <summary>A fetch ended: the peer had no more, or failed. Its place goes to the next that is due.</summary>
    public void OnFetchEnded(FetchOrder order, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentNullException.ThrowIfNull(effects);
        _fetches.OnEnded(order, effects);
    }

    /// <inheritdoc/>
    void IWholeWitness.OnNamed(StreamHeader header) => _streamsOf[header.Publisher] = _streamsOf.GetValueOrDefault(header.Publisher) + 1;

    /// <inheritdoc/>
    HeldBytes IWholeWitness.HeldBytes => _heldBytes;

    /// <inheritdoc/>
    bool IWholeWitness.MayClaim => !_recall.HasLostMemory;

    /// <inheritdoc/>
    bool IWholeWitness.IsStored(StreamHeader header, Ancestor link) => IsStored(header, link);

    /// <inheritdoc/>
    void IWholeWitness.Keep(VerifiedEvidence evidence, WitnessEffects effects) => _offenders.Keep(evidence, isKnownStream: true, effects);

    private bool IsStored(StreamHeader header, Ancestor link) =>
        _streams.TryGetValue(AwaitedLinks.TargetOf(header, link), out WitnessStream? target)
        && target.Witness.StoredTip is { } tip
        && (tip.Sequence > link.Sequence || tip == new BatchRef(tip.Stream, link.Sequence, link.Digest));

    private int MostOf(Func<WitnessStream, int> count)
    {
        int most = 0;
        foreach (WitnessStream stream in _streams)
        {
            most = Math.Max(most, count(stream));
        }

        return most;
    }

    private void KeepUnknown(VerifiedAck ack, WitnessEffects effects)
    {
        if (!_unknownAcks.Add(ack, out int witnesses))
        {
            effects.Ignored.Add(IgnoreReason.UnknownAcksOverflow);
        }

        if (witnesses >= _committee.Size.OneCorrect)
        {
            // W6: a correct witness has it, so that the stream is one.
            StreamFor(ack.Batch.Stream, effects);
        }
    }

    /// <summary>Why a stream that is not known does not begin with this batch; null when it does.</summary>
    private RefusalReason? WhyNotBegun(BatchStatement statement) =>
        statement.Header.Incarnation.Counter > (ulong)_now + (ulong)IncarnationAheadMax ? RefusalReason.TooFarAhead
        : statement.Sequence.Value >= (ulong)_committee.Limits.WindowSlots ? RefusalReason.OutOfWindow
        : _streams.Count >= _limits.StreamsMax || _streamsOf.GetValueOrDefault(statement.Header.Publisher) >= _limits.StreamsPerPublisherMax ? RefusalReason.OverLimit
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
            _links.Update(stream);
            _streams.Remove(id);
            if (stream.Witness.Header is { } header)
            {
                _streamsOf[header.Publisher]--;
            }

            stream.IsForgotten = true;
            _touched.Remove(id);
        }
    }

    /// <summary>A stream that becomes known takes the acks that came before it (C3); its caller certifies what they complete.</summary>
    private WitnessStream StreamFor(StreamId id, WitnessEffects effects)
    {
        bool isNew = !_streams.TryGetValue(id, out _);
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
            stream = new WitnessStream(new StreamWitness(id, _committee, this));
            _streams.TryAdd(stream);
            if (_offenders.Contains(id))
            {
                // W10: the evidence came before the stream.
                stream.Witness.RestoreEvidence();
            }
        }

        return stream;
    }

    /// <summary>W9: a root of mine that I do not remember ends my acking for good.</summary>
    private void See(bool isRemembered, WitnessEffects effects)
    {
        if (!isRemembered)
        {
            _recall.LoseMemory(effects);
            _withheld.Clear();
            foreach (WitnessStream stream in _streams)
            {
                stream.Witness.Silence();
            }
        }
    }

    /// <summary>W9: all that was asked for is known, and my memory is whole.</summary>
    private void SignWithheld(WitnessEffects effects)
    {
        SignAcks([.. _withheld.Where(ack => ack.Stream.AckedAt(ack.Statement.Batch.Sequence)?.Reference == ack.Statement.Batch)], effects);
        _withheld.Clear();
        CertifyTouched(effects);
    }

    private void SignAcks(List<(StreamWitness Stream, AckStatement Statement)> durable, WitnessEffects effects)
    {
        if (_recall.HasLostMemory)
        {
            return;
        }

        foreach (VerifiedAck ack in _signer.Sign(durable, _run, DurableMark, effects))
        {
            WitnessStream stream = _streams[ack.Batch.Stream];
            stream.Witness.OnAckDurable(ack, effects);
            Count(stream, ack, effects);
            _acks.OnSigned(stream);
        }
#if PLANTED
        effects.PeerAcks.RemoveAll(_ => Planted.Is("acks-not-exchanged"));
#endif
    }

    private void RaiseTips(CommitGroup group, WitnessEffects effects)
    {
        foreach ((StreamWitness witness, VerifiedCertificate certificate) in group.Tips)
        {
            WitnessStream stream = _streams[witness.Id];
            witness.OnTipDurable(certificate, _open, effects);
            stream.OnRisen();
            _tips.OnRisen(witness);
            foreach (WitnessStream linked in _links.WaitingFor(witness.Id))
            {
                linked.Witness.OnLinkTargetStored(_open, effects);
                _links.Update(linked);
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
        stream.IsDivergent |= stream.Collector.HasOther(ack.Batch) || outcome == AckOutcome.Conflicting;
        if (stream.IsDivergent)
        {
            _offenders.Compare(stream, ack, effects);
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
        if (witness.Lacks(ack.Batch) && stream.Collector.VotesFor(ack.Batch) >= _committee.Size.OneCorrect)
        {
            _fetches.Want(stream, ack.Batch);
        }
    }

    private void CertifyTouched(WitnessEffects effects)
    {
        if (_touched.Count == 0)
        {
            return;
        }

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

            _fetches.Want(stream);
        }

        _touched.Clear();
    }
}
