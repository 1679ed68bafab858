using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Roles;

/// <summary>A receiver's side of one topic, all its streams. Implements rules R1 to R5 and R7 of docs/protocol.md.</summary>
/// <remarks>Not thread-safe: one thread at a time owns it. Decoding is the host's, after delivery: it never affects order (R1).</remarks>
public sealed class ReceiverRole
{
    private readonly Committee _committee;
    private readonly BatchVerifier _verifier;
    private readonly ReceiverOptions _options;
    private readonly Cursor _start;
    private readonly OrderedDictionary<StreamId, ReceivedStream> _streams = [];
    private readonly WatchedTips _watchedTips;
    private readonly List<ReceivedStream> _watched = [];
    private readonly HandOverDesk _handOvers;
    private readonly List<ReceivedStream> _cut = []; // those of which somebody named a floor
    private long _bufferedBytes;
    private bool _isStopped;
    private long _now;

    /// <param name="committee">The witnesses.</param>
    /// <param name="verifier">Of their cluster.</param>
    /// <param name="start">Where to begin; copied. Streams that it does not list are delivered from their beginning.</param>
    /// <param name="options">Bounds and patience.</param>
    /// <exception cref="ArgumentException">An option is illegal.</exception>
    public ReceiverRole(Committee committee, BatchVerifier verifier, Cursor start, ReceiverOptions options)
    {
        ArgumentNullException.ThrowIfNull(committee);
        ArgumentNullException.ThrowIfNull(verifier);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(options);
        if (options.WhyIllegal() is { } reason)
        {
            throw new ArgumentException(reason, nameof(options));
        }

        _committee = committee;
        _verifier = verifier;
        _start = start.Copy();
        _options = options;
        _handOvers = new HandOverDesk(committee, options);
        _watchedTips = new WatchedTips(committee.Size, options.StreamsMax);
    }

    public Topic Topic => _start.Topic;

    /// <summary>Bodies that wait for delivery. Unit: bytes.</summary>
    public long BufferedBytes => _bufferedBytes;

    /// <summary>Statements that wait for delivery, in the stream with the most of them; fewer than two windows.</summary>
    public int BufferedSlotsMax => _streams.Count == 0 ? 0 : _streams.Values.Max(stream => (int)(stream.End.Value - stream.Next.Value));

    /// <summary>Streams followed.</summary>
    public int StreamCount => _streams.Count;

    /// <summary>Where a new subscription begins, so that with what is buffered nothing is lost and nothing comes twice (R7).</summary>
    public Cursor ToSubscription()
    {
        Cursor cursor = _start.Copy();
        foreach (ReceivedStream stream in _streams.Values)
        {
            cursor.Set(stream.Id, new CursorPosition(stream.Missing));
        }

        return cursor;
    }

    /// <summary>
    /// A tip that names this needs no proof: the batch is known covered, or lies so low that its tip decides nothing. Then <see cref="OnKnownTip"/>
    /// will do, and no signature is looked at.
    /// </summary>
    public bool IsKnownCovered(BatchRef batch) =>
        _streams.TryGetValue(batch.Stream, out ReceivedStream? stream)
        && (IsBelowLast(stream, batch.Sequence) || stream.DigestAt(batch.Sequence) == batch.Digest);

    /// <summary>A witness's tip for which <see cref="IsKnownCovered"/> holds; others change nothing.</summary>
    public void OnKnownTip(WitnessIndex from, BatchRef tip, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (!_isStopped && IsKnownCovered(tip) && _streams[tip.Stream].OnTip(from, tip.Sequence))
        {
            Deliver(_streams[tip.Stream], effects);
            return;
        }

        effects.Ignored.Add(_isStopped ? ReceiverIgnored.Stopped : ReceiverIgnored.AlreadyKnown);
    }

    /// <summary>A witness's tip has passed verification, or its answer to a hand-over (R4, R5).</summary>
    public void OnTip(WitnessIndex from, VerifiedCertificate certificate, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(effects);
        if (WhyIgnored(certificate.Batch.Stream) is { } reason)
        {
            effects.Ignored.Add(reason);
            return;
        }

        ReceivedStream stream = StreamOf(certificate.Batch.Stream);
        if (ForkSearch.Find(stream, certificate) is { } fork)
        {
            // R4: two tips that conflict.
            StopAt(fork, effects);
            return;
        }

        bool isNew = stream.OnTip(from, certificate);
        if (certificate.WitnessCount == _committee.Size.Count)
        {
            stream.OnAckedByAll(certificate);
            isNew = true;
        }

        if (isNew)
        {
            Deliver(stream, effects);
        }
        else
        {
            effects.Ignored.Add(ReceiverIgnored.AlreadyKnown);
        }
    }

    /// <summary>Statements that a verified certificate covers, from a subscription or an answer to <see cref="Wanted"/> (S1).</summary>
    /// <param name="from">Who serves; it holds the certificate durably (W7), so this is a tip of its own (R5).</param>
    /// <param name="certificate">Verified.</param>
    /// <param name="statements">In the order of their slots, the certificate's own last.</param>
    /// <param name="effects">Gets what follows.</param>
    public void OnRange(WitnessIndex from, VerifiedCertificate certificate, IReadOnlyList<SignedStatement> statements, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (!CertifiedRange.TryVerify(_verifier, certificate, statements, out CertifiedRange? range, out RejectReason reason))
        {
            effects.Misbehaved.Add(new Misbehaved(from, reason));
            return;
        }

        OnRange(from, range, effects);
    }

    /// <summary>The same, verified by the host.</summary>
    public void OnRange(WitnessIndex from, CertifiedRange range, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(range);
        ArgumentNullException.ThrowIfNull(effects);
        if (range.Header.Topic != Topic)
        {
            effects.Misbehaved.Add(new Misbehaved(from, RejectReason.OtherTopic));
            return;
        }

        if (WhyIgnored(range.Header.Id) is { } reason)
        {
            effects.Ignored.Add(reason);
            return;
        }

        ReceivedStream stream = StreamOf(range.Header.Id);
        if (ForkSearch.Find(stream, range) is { } fork)
        {
            StopAt(fork, effects);
            return;
        }

        stream.Server = from;
        stream.OnTip(from, range.Certificate);
        if (range.Certificate.WitnessCount == _committee.Size.Count)
        {
            stream.OnAckedByAll(range.Certificate);
        }

        if (WhyNotAppended(stream, range) is { } notAppended)
        {
            effects.Ignored.Add(notAppended);
            if (notAppended != ReceiverIgnored.AlreadyKnown)
            {
                // What follows a range that found no room comes after a gap: the first reason counts.
                stream.Starved ??= notAppended == ReceiverIgnored.Gap ? WantedReason.Withheld : WantedReason.Dropped;
            }
        }
        else
        {
            Link(stream, range);
            stream.Append(range);
            stream.OnServed(_now);
        }

        Deliver(stream, effects);
    }

    /// <summary>The body of a slot whose statement came before.</summary>
    /// <returns>True when the role took the body; otherwise its memory stays with the host.</returns>
    public bool OnBody(WitnessIndex from, StreamId stream, Sequence sequence, ReadOnlyMemory<byte> body, IDisposable? owner, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (WhyBodyIgnored(stream, sequence, body.Length) is { } ignored)
        {
            effects.Ignored.Add(ignored);
            return false;
        }

        ReceivedStream received = _streams[stream];
        BufferedBatch buffered = received.Find(sequence)!;
        if (!_verifier.TryVerifyBody(buffered.Statement, body, owner, out VerifiedBatch? batch, out RejectReason reason))
        {
            effects.Misbehaved.Add(new Misbehaved(from, reason));
            return false;
        }

        buffered.Batch = batch;
        received.OnServed(_now);
        _bufferedBytes += body.Length;
        Deliver(received, effects);
        return true;
    }

    /// <summary>R4 accepted a floor: what lies below it is skipped, and links to it are satisfied (R2).</summary>
    public void OnAcceptedFloor(StreamId stream, Sequence floor, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (WhyIgnored(stream) is { } reason)
        {
            effects.Ignored.Add(reason);
            return;
        }

        ReceivedStream received = StreamOf(stream);
        if (floor <= received.Next)
        {
            effects.Ignored.Add(ReceiverIgnored.AlreadyKnown);
            return;
        }

        effects.Skipped.Add(new Skipped(stream, received.Next, floor));
        _bufferedBytes -= received.SkipTo(floor);
        Deliver(received, effects);
    }

    /// <summary>R4: a witness has cut the slot that it is asked for. When enough say so it is skipped; until then another is to serve.</summary>
    /// <param name="from">Whose floor.</param>
    /// <param name="floor">The lowest slot whose body it keeps.</param>
    /// <param name="certificate">Proves that there is a floor so high.</param>
    /// <param name="effects">Gets what follows.</param>
    public void OnFloor(WitnessIndex from, Slot floor, VerifiedCertificate certificate, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(effects);
        if (WhyIgnored(floor.Stream) is { } reason)
        {
            effects.Ignored.Add(reason);
            return;
        }

        if (certificate.Batch.Stream != floor.Stream)
        {
            effects.Misbehaved.Add(new Misbehaved(from, RejectReason.OtherSlot));
            return;
        }

        OnTip(from, certificate, effects);
        ReceivedStream stream = StreamOf(floor.Stream);
        StreamFloors floors = stream.Floors ??= NewFloors(stream);
        if (!floors.OnFloor(from, floor, certificate))
        {
            effects.Misbehaved.Add(new Misbehaved(from, RejectReason.OtherSlot));
            return;
        }

        if (floors.Accepted(stream.Missing) is { } accepted)
        {
            OnAcceptedFloor(floor.Stream, accepted, effects);
        }
        else if (floor.Sequence > stream.Missing)
        {
            effects.Wanted.Add(new Wanted(stream.Id, stream.Missing, from, WantedReason.Cut));
        }
    }

    /// <summary>A watched witness named a tip, true or not (R4): part of the list that its next digest is over.</summary>
    public void OnTold(WitnessIndex from, BatchRef tip) => _watchedTips.OnTip(from, tip);

    /// <summary>R4: a watched witness says that it has told all its tips, and the digest over them.</summary>
    public void OnListEnd(WitnessIndex from, Digest digest, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (!_watchedTips.IsAsTold(from, digest))
        {
            effects.Misbehaved.Add(new Misbehaved(from, RejectReason.OtherDigest));
            return;
        }

        foreach (ReceivedStream stream in _cut)
        {
            if (_watchedTips.TipOf(from, stream.Id) is null)
            {
                stream.Floors!.OnTip(from, null);
            }
        }
    }

    /// <summary>A witness is watched no more.</summary>
    public void OnUnwatched(WitnessIndex witness) => _watchedTips.Forget(witness);

    /// <summary>A witness begins to serve, from <see cref="ToSubscription"/> on: what found no room comes again.</summary>
    public void OnServing()
    {
        foreach (ReceivedStream stream in _streams.Values)
        {
            stream.IsWanted = false;
            stream.Starved = null;

            // What is wanted from now on is wanted of the new one, also of a stream of which it has sent nothing yet.
            stream.Server = null;
        }

        OnPaused();
    }

    /// <summary>The host does not read for now: nobody lags who had no time.</summary>
    public void OnPaused()
    {
        foreach (ReceivedStream stream in _watched)
        {
            stream.OnServing(_now);
        }
    }

    /// <summary>R5: a witness lacks statements or bodies of what was handed over to it.</summary>
    /// <param name="from">Who asks.</param>
    /// <param name="stream">Of which stream.</param>
    /// <param name="first">The lowest slot asked for.</param>
    /// <param name="last">The highest.</param>
    /// <param name="effects">Gets the answers: what waits here for delivery. What was delivered is held by f + 1 witnesses.</param>
    public void OnHandOverFetch(WitnessIndex from, StreamId stream, Sequence first, Sequence last, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        if (_isStopped || !_streams.TryGetValue(stream, out ReceivedStream? received))
        {
            effects.Ignored.Add(_isStopped ? ReceiverIgnored.Stopped : ReceiverIgnored.NoStatement);
            return;
        }

        _handOvers.Answer(from, received, first, last, _now, effects);
    }

    /// <summary>The connection to a witness is gone: what it served is wanted from others (R7). Its tips stay: they were proven durable.</summary>
    public void OnDisconnected(WitnessIndex witness, ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        foreach (ReceivedStream stream in _streams.Values)
        {
            if (stream.Server == witness && !_isStopped)
            {
                stream.IsWanted = false;
                Want(stream, WantedReason.Lost, effects);
                stream.Server = null;
            }
        }
    }

    /// <summary>Time passes: hand-overs for what too few witnesses hold (R5), other servers for what the tips show and nobody sent (R4).</summary>
    public void OnTick(ReceiverEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        _now++;
        if (_isStopped)
        {
            return;
        }

        foreach (ReceivedStream stream in _watched)
        {
            stream.IsWatched = stream.IsGated || stream.IsBehind;
            if (stream.IsHandOverDue(_now))
            {
                stream.OnHandedOver(_now);
                _handOvers.Begin(stream, stream.Head!.Range.Certificate, effects);
            }

            if (stream.IsLagDue(_now))
            {
                stream.OnAskedFor(_now);
                stream.IsWanted = false;
                Want(stream, WantedReason.Withheld, effects);
                if (stream.HighestTip is { } tip && tip.Batch.Sequence >= stream.Missing)
                {
                    // R5: perhaps it was shown to nobody else, and then nobody else can serve it.
                    _handOvers.Begin(stream, tip, effects);
                }
            }
        }

        _watched.RemoveAll(stream => !stream.IsWatched);
        if (_now % _options.CatchUpTicks == 0)
        {
            FindBehind(effects);
        }
    }

    /// <summary>R4: a list that lacks what others proved a while ago, and what nobody serves yet, is no list to rely on.</summary>
    private void FindBehind(ReceiverEffects effects)
    {
        foreach (WitnessIndex witness in _committee.Members.Where(_watchedTips.IsWatched))
        {
            if (_streams.Values.Any(stream => stream.IsBehind && stream.CertifiedBefore is { } certified && !(_watchedTips.TipOf(witness, stream.Id) >= certified)))
            {
                effects.Behind.Add(witness);
            }
        }

        foreach (ReceivedStream stream in _streams.Values)
        {
            stream.CertifiedBefore = stream.Certified;
        }
    }

    private StreamFloors NewFloors(ReceivedStream stream)
    {
        StreamFloors floors = new(_committee);
        foreach (WitnessIndex witness in _committee.Members)
        {
            if (stream.TipOf(witness) is { } tip)
            {
                floors.OnTip(witness, tip);
            }
        }

        _cut.Add(stream);
        return floors;
    }

    private static bool IsBelowLast(ReceivedStream stream, Sequence sequence) => !stream.Next.IsFirst && sequence < stream.Next.Preceding;

    private ReceiverIgnored? WhyNotAppended(ReceivedStream stream, CertifiedRange range) =>
        range.Last < stream.End ? ReceiverIgnored.AlreadyKnown
        : range.First > stream.End ? ReceiverIgnored.Gap
        : !stream.HasRoom ? ReceiverIgnored.NoRoom
        : LinkTargetOf(range) is { } target ? WhyIgnored(target.Stream)
        : null;

    private ReceiverIgnored? WhyIgnored(StreamId stream) =>
        _isStopped ? ReceiverIgnored.Stopped
        : _streams.Count >= _options.StreamsMax && !_streams.ContainsKey(stream) ? ReceiverIgnored.TooManyStreams
        : null;

    private ReceiverIgnored? WhyBodyIgnored(StreamId stream, Sequence sequence, int length)
    {
        if (_isStopped)
        {
            return ReceiverIgnored.Stopped;
        }

        if (!_streams.TryGetValue(stream, out ReceivedStream? received) || sequence >= received.End)
        {
            return ReceiverIgnored.NoStatement;
        }

        if (received.Find(sequence) is not { Batch: null })
        {
            return ReceiverIgnored.AlreadyKnown;
        }

        if (sequence != received.Next && _bufferedBytes + length > _options.BufferedBytesMax)
        {
            received.Starved ??= WantedReason.Dropped;
            return ReceiverIgnored.NoRoom;
        }

        return null;
    }

    private ReceivedStream StreamOf(StreamId id)
    {
        if (!_streams.TryGetValue(id, out ReceivedStream? stream))
        {
            stream = new ReceivedStream(id, _start.PositionOf(id), _committee, _options);
            _streams.Add(id, stream);
        }

        return stream;
    }

    private Slot? LinkTargetOf(CertifiedRange range) =>
        range.Statements[0].Statement.Ancestor is { Kind: AncestorKind.Link } link
            ? new Slot(new StreamHeader(_committee.Cluster, range.Header.Publisher, Topic, link.Incarnation).Id, link.Sequence)
            : null;

    /// <summary>R2: notes what the first batch of a linked incarnation has to wait for.</summary>
    private void Link(ReceivedStream stream, CertifiedRange range)
    {
        if (stream.LinkTarget is null && LinkTargetOf(range) is { } target)
        {
            ReceivedStream before = StreamOf(target.Stream);
            before.AddFollower(stream, target.Sequence);
            Watch(before);
        }
    }

    /// <summary>Delivers what became deliverable in a stream, and in those that waited for it (R2).</summary>
    private void Deliver(ReceivedStream first, ReceiverEffects effects)
    {
        // No recursion: incarnations may be linked in a chain of any length.
        Queue<ReceivedStream> ready = new([first]);
        while (ready.TryDequeue(out ReceivedStream? stream))
        {
            while (stream.Head is { Batch: { } batch } head && stream.IsLinkDelivered && stream.IsHeldByEnough(head))
            {
                stream.Take();
                stream.OnProgress(_now);
                _bufferedBytes -= batch.Body.Length;
                effects.Deliveries.Add(new Delivery(batch, head.Range));
            }

            foreach (ReceivedStream follower in stream.TakeReleasedFollowers())
            {
                ready.Enqueue(follower);
            }

            if (stream.Starved is { } reason && stream.Head is not { Batch: not null })
            {
                Want(stream, reason, effects);
            }

            if (stream.IsGated || stream.IsBehind)
            {
                Watch(stream);
            }
        }
    }

    private void Watch(ReceivedStream stream)
    {
        if (!stream.IsWatched)
        {
            stream.IsWatched = true;
            stream.OnWatched(_now);
            _watched.Add(stream);
        }
    }

    private static void Want(ReceivedStream stream, WantedReason reason, ReceiverEffects effects)
    {
        stream.Starved = null;
        if (!stream.IsWanted)
        {
            stream.IsWanted = true;
            effects.Wanted.Add(new Wanted(stream.Id, stream.Missing, stream.Server, reason));
        }
    }

    private void StopAt(Fork fork, ReceiverEffects effects)
    {
        _isStopped = true;
        effects.Fork = fork;

        // C2: what was delivered before this run has left its certificate with witnesses, and whoever holds that one finds the liars in both.
        foreach (WitnessIndex witness in _committee.Members)
        {
            effects.HandOvers.Add(new HandOver(witness, fork.Second.Certificate));
        }
    }
}
