using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>
/// A subscription without its tasks, sockets and clock: which witness serves and when another takes over (R4), whose tips are followed, and what the role makes of what they send.
/// </summary>
/// <remarks>Not thread-safe. Between two ticks the time stands still. Inputs about a subscription that the driver closed are the host's to drop.</remarks>
internal sealed class ReceiverDriver
{
    /// <summary>R4: a witness that named a floor is left after so long. Unit: milliseconds.</summary>
    private const long CutPatienceMs = 200;

    /// <summary>What was dropped for want of room is asked for again at once only so long after the last time. Unit: milliseconds.</summary>
    private const int DroppedAgainMs = 1000;

    private readonly Committee _committee;
    private readonly ISignatureScheme _scheme;
    private readonly Topic _topic;
    private readonly CursorStore? _cursor;
    private readonly SubscriptionOptions _options;
    private readonly IReceiverOutputs _outputs;
    private readonly AckVerifier _verifier;
    private readonly ReceiverIntake _intake;
    private readonly TipBoard _tips;
    private readonly SubscriptionLink _serving;
    private readonly WatchedWitnesses _watched;
    private readonly ReceiverEffects _effects = new();
    private ReceiverRole? _role;
    private LatestTips? _latest;
    private WitnessSet _notAdmitting;
    private long _nowMs;
    private long _fullSince;
    private long _droppedAt = long.MinValue / 2;
    private (WitnessIndex From, long Since)? _cutBy;
    private int _next;

    /// <param name="committee">The witnesses.</param>
    /// <param name="scheme">Verifies.</param>
    /// <param name="topic">What is read.</param>
    /// <param name="cursor">Where it goes on, and what may have been delivered before (R3); null for no durable cursor.</param>
    /// <param name="options">Checked.</param>
    /// <param name="chance">Random: spreads subscriptions over the witnesses, and redials over time.</param>
    /// <param name="outputs">Does what is decided.</param>
    public ReceiverDriver(Committee committee, ISignatureScheme scheme, Topic topic, CursorStore? cursor, SubscriptionOptions options, ulong chance, IReceiverOutputs outputs)
    {
        _committee = committee;
        _scheme = scheme;
        _topic = topic;
        _cursor = cursor;
        _options = options;
        _outputs = outputs;
        Credit = new ByteCredit(options.QueueBytesMax);
        _verifier = new AckVerifier(committee, scheme, Protocol.NodeLimits.Default.RememberedRootsMax);
        _intake = NewIntake();
        _tips = new TipBoard(committee, _verifier);
        _next = options.FirstServing?.Value ?? (int)(chance % (ulong)committee.Size.Count);
        _serving = new SubscriptionLink(SubscriptionChannel.Bodies, chance, outputs);
        _watched = new WatchedWitnesses(committee, topic, options.SilenceMax, chance, _next, outputs);
        if (options.From == StartFrom.Latest && (cursor?.IsNew ?? true))
        {
            _latest = new LatestTips(committee, _verifier);
        }
        else
        {
            Begin(cursor?.Cursor.Copy() ?? new Cursor(topic));
        }
    }

    /// <summary>Bytes that move between a witness and the application. The host reads no further frame of <see cref="SubscriptionChannel.Bodies"/> while there is no room (R6).</summary>
    public ByteCredit Credit { get; }

    /// <summary>Statements that wait for delivery, in the stream with the most of them.</summary>
    public int BufferedSlotsMax => _role?.BufferedSlotsMax ?? 0;

    /// <summary>For a task that verifies what it reads before it posts it here.</summary>
    public ReceiverIntake NewIntake() => new(_committee, _scheme, Credit);

    /// <summary>The session is open and the start frame is sent.</summary>
    public void OnOpened(WitnessIndex witness, SubscriptionChannel channel)
    {
        LinkOf(witness, channel)?.OnOpened(_nowMs);
        if (channel == SubscriptionChannel.Bodies)
        {
            _role?.OnServing();
        }

        _outputs.Notify(new WitnessReached(witness));
    }

    /// <summary>The witness ended the call, or there is no way to it.</summary>
    /// <param name="witness">Which.</param>
    /// <param name="channel">What was opened there.</param>
    /// <param name="reason">In a sentence.</param>
    /// <param name="isRefusal">It does not know the client.</param>
    public void OnClosed(WitnessIndex witness, SubscriptionChannel channel, string reason, bool isRefusal = false)
    {
        if (LinkOf(witness, channel) is { } link)
        {
            link.OnClosed(_nowMs);
            OnEnded(witness, channel, reason);
            if (isRefusal)
            {
                OnNotAdmitted(witness, reason);
            }
        }
    }

    /// <summary>A frame as it came, after the session's own.</summary>
    public void OnFrame(WitnessIndex from, SubscriptionChannel channel, ISubscribeReply frame) => OnReceived(_intake.Read(from, channel, frame));

    /// <summary>A frame that an intake of <see cref="NewIntake"/> has looked at.</summary>
    public void OnReceived(in ReceivedFrame received)
    {
        (WitnessIndex from, SubscriptionChannel channel) = (received.From, received.Channel);
        if (received.Frame is BodyFrame body)
        {
            OnBody(from, channel, body);
        }

        if (LinkOf(from, channel) is { } link)
        {
            link.OnHeard(_nowMs);
            OnReceived(link, received);
        }

        TryBegin();
        Perform();
    }

    /// <summary>A frame of a subscription that the driver closed meanwhile: its memory goes back. May be called on any thread.</summary>
    public void Drop(in ReceivedFrame received)
    {
        if (received.Frame is BodyFrame body)
        {
            Credit.Remove(body.Body.Length);
            body.BodyOwner?.Dispose();
        }
    }

    /// <summary>A witness answers a hand-over on its call (R5).</summary>
    public void OnHandOverReply(WitnessIndex from, IPublishReply reply)
    {
        switch (reply)
        {
            case TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? shown) && _role is not null:
                _tips.OnTip(from, shown, _role, _effects);
                break;
            case FetchFrame fetch:
                _role?.OnHandOverFetch(from, fetch.Stream, fetch.From, fetch.To, _effects);
                break;
            default:
                break;
        }

        Perform();
    }

    /// <summary>Time passes. The first tick dials.</summary>
    public void OnTick(long nowMs)
    {
        _nowMs = nowMs;
        foreach (WitnessIndex silent in _watched.OnTick(nowMs))
        {
            Close(_watched.LinkOf(silent)!, $"It was silent for {_options.SilenceMax.TotalSeconds} s.");
        }

        if (_role is null)
        {
            return;
        }

        _tips.OnTick(_role, _effects);
        if (!IsReading())
        {
            _serving.OnHeard(nowMs);
            _role.OnPaused();
        }
        else if (_serving.IsOpen && nowMs - _serving.LastHeard > _options.SilenceMax.TotalMilliseconds)
        {
            Close(_serving, $"It was silent for {_options.SilenceMax.TotalSeconds} s.");
        }
        else if (_cutBy is { } cut && nowMs - cut.Since >= CutPatienceMs)
        {
            _cutBy = null;
            if (_serving.IsOpen && _serving.Witness == cut.From)
            {
                Close(_serving, "It keeps less than is wanted.");
            }
        }

        _role.OnTick(_effects);
        Perform();
        if (_serving.IsDue(nowMs))
        {
            Serve(new WitnessIndex(_next));
        }
    }

    /// <summary>The application is done with so many bytes of bodies. May be called on any thread.</summary>
    public void OnTaken(long bytes) => Credit.Remove(bytes);

    private void OnReceived(SubscriptionLink link, in ReceivedFrame received)
    {
        switch (received)
        {
            case { Fault: { } fault }:
                Close(link, fault);
                break;
            case { Range: { } range } when _role is not null:
                _role.OnRange(received.From, range, _effects);
                _tips.OnCovered(range.Header.Id, _role, _effects);
                break;
            case { Tip: { } tip }:
                OnTip(received.From, received.Channel, tip);
                break;
            case { Frame: FloorFrame floor, Proof: { } proof }:
                // The proof counts as a tip (R5): what it releases comes before what the floor skips.
                _role?.OnTip(received.From, proof, _effects);
                Perform();
                _role?.OnFloor(received.From, floor.Slot, proof, _effects);
                break;
            case { Frame: HeartbeatFrame heartbeat, Channel: SubscriptionChannel.Tips }:
                OnHeartbeat(received.From, heartbeat.TipsDigest);
                break;
            case { Frame: EndFrame end }:
                Close(link, $"It ended the subscription ({end.Reason}): {end.Text}");
                if (end.Reason == EndReason.NotAllowed)
                {
                    OnNotAdmitted(received.From, end.Text);
                }

                break;
            default:
                break;
        }
    }

    private StartFrame StartOf(Cursor cursor)
    {
        Slot[] slots = [.. cursor.Positions.Select(position => new Slot(position.Key, position.Value.Next))];
        return new StartFrame(_topic, slots.Length > 0 ? StartPosition.Cursor : StartPosition.Earliest, slots, WithBodies: true);
    }

    /// <summary>The link that this is about; null when the driver gave it up.</summary>
    private SubscriptionLink? LinkOf(WitnessIndex witness, SubscriptionChannel channel)
    {
        SubscriptionLink? link = channel == SubscriptionChannel.Bodies ? _serving : _watched.LinkOf(witness);
        return link?.Witness == witness ? link : null;
    }

    private void OnBody(WitnessIndex from, SubscriptionChannel channel, BodyFrame body)
    {
        Credit.Remove(body.Body.Length);
        if (_role is null || channel != SubscriptionChannel.Bodies || !_role.OnBody(from, body.Slot.Stream, body.Slot.Sequence, body.Body, body.BodyOwner, _effects))
        {
            body.BodyOwner?.Dispose();
        }
    }

    private void OnTip(WitnessIndex from, SubscriptionChannel channel, QuorumCertificate tip)
    {
        if (_role is null)
        {
            if (!_latest!.OnTip(from, tip) && LinkOf(from, channel) is { } link)
            {
                Close(link, "Its tip does not verify.");
            }

            return;
        }

        if (channel == SubscriptionChannel.Tips)
        {
            _role.OnTold(from, tip.Batch);
        }

        _tips.OnTip(from, tip, _role, _effects);
    }

    /// <summary>A watched witness has told all its tips.</summary>
    private void OnHeartbeat(WitnessIndex from, Digest? digest)
    {
        _notAdmitting = _notAdmitting.Without(from);
        _latest?.OnHeartbeat(from);
        if (digest is { } told)
        {
            _role?.OnListEnd(from, told, _effects);
        }
    }

    /// <summary>A witness does not let this client read; when f + 1 say so, a correct one does.</summary>
    private void OnNotAdmitted(WitnessIndex witness, string why)
    {
        _notAdmitting = _notAdmitting.With(witness);
        if (_notAdmitting.Count >= _committee.Size.OneCorrect)
        {
            _outputs.Refused($"the witnesses do not let this key read: {why} Add it under clients and topics in every witness's cluster.yaml.");
        }
    }

    private void Serve(WitnessIndex witness)
    {
        _serving.Open(witness, StartOf(_role!.ToSubscription()));
        _next = (witness.Value + 1) % _committee.Size.Count;
    }

    /// <summary>R4: the witness that serves does not serve what is wanted. Not believed while it is us who do not read.</summary>
    private void OnWanted(Wanted wanted)
    {
        if (!_serving.IsOpen || (wanted.NotFrom is { } server && server != _serving.Witness) || !IsReading())
        {
            return;
        }

        if (wanted.Reason == WantedReason.Dropped)
        {
            // R6: it was our room, not the witness's fault.
            WitnessIndex same = _serving.Witness!.Value;
            _serving.Close(_nowMs);
            if (_nowMs - _droppedAt >= DroppedAgainMs)
            {
                _droppedAt = _nowMs;
                Serve(same);
            }

            // Otherwise the back-off: what fills the room waits for a slot that this witness may have cut, and the next one may have it.
        }
        else if (wanted.Reason == WantedReason.Cut)
        {
            // R4: its floors of all streams are heard before it is left: each counts, and the first is not always the same stream's.
            _cutBy = _cutBy is { } before && before.From == _serving.Witness ? before : (_serving.Witness!.Value, _nowMs);
        }
        else if (wanted.Reason != WantedReason.Lost)
        {
            Close(_serving, "It does not serve what other witnesses have.");
        }
    }

    /// <summary>False while the application's queue is full: silence is then our own.</summary>
    private bool IsReading()
    {
        if (Credit.HasRoom(heldForMs: 0))
        {
            _fullSince = _nowMs;
        }

        return Credit.HasRoom(_nowMs - _fullSince);
    }

    private void Close(SubscriptionLink link, string reason)
    {
        WitnessIndex witness = link.Witness!.Value;
        link.Close(_nowMs);
        OnEnded(witness, link == _serving ? SubscriptionChannel.Bodies : SubscriptionChannel.Tips, reason);
    }

    private void OnEnded(WitnessIndex witness, SubscriptionChannel channel, string reason)
    {
        _outputs.Notify(new WitnessLost(witness, reason));
        if (channel == SubscriptionChannel.Tips)
        {
            _role?.OnUnwatched(witness);
            return;
        }

        _role?.OnDisconnected(witness, _effects);
        Perform();
    }

    private void TryBegin()
    {
        if (_latest is { IsComplete: true } latest)
        {
            _latest = null;
            Cursor start = latest.ToCursor(_topic);
            _outputs.Started(start);
            Begin(start);
            foreach ((WitnessIndex from, QuorumCertificate tip) in latest.Shown)
            {
                OnTip(from, SubscriptionChannel.Tips, tip);
            }
        }
    }

    private void Begin(Cursor start)
    {
        BatchVerifier batches = new(_committee.Cluster, _committee.Limits, _scheme);
        _role = new ReceiverRole(_committee, batches, start, ReceiverOptions.Default with { BufferedBytesMax = (2 * _options.QueueBytesMax) + _committee.Limits.BatchBytesMax });
    }

    private void Perform()
    {
        // Before what follows the gap is delivered.
        foreach (Skipped skipped in _effects.Skipped)
        {
            _outputs.Notify(new SlotsSkipped(skipped.Stream, skipped.First, skipped.Floor));
        }

        foreach (HandOverAnswer answer in _effects.Answers)
        {
            // Copied, and before anything is delivered: the application gives the bodies' memory back as soon as it has read them.
            SignedStatement[] statements = [.. answer.Range.Statements.Select(SignedStatement.From)];
            _outputs.HandOver(answer.To, [
                new CertifiedFrame(answer.Range.Certificate.Certificate.Bytes, statements),
                .. answer.Batches.Select(batch => new BatchFrame(new SignedBatch(batch.Statement.Statement.Bytes, batch.Statement.Signature, batch.Body.ToArray(), null)))]);
        }

        foreach (Protocol.Receiving.Delivery delivery in _effects.Deliveries)
        {
            Credit.Add(delivery.Batch.Body.Length);
            _outputs.Deliver(delivery, _cursor?.MayBeRepeat(delivery.Batch.Reference.Stream, delivery.Batch.Sequence) ?? false);
        }

        Credit.SetHeld(_role?.BufferedBytes ?? 0);
        foreach (HandOver handOver in _effects.HandOvers)
        {
            _outputs.HandOver(handOver.To, [new CertifiedFrame(handOver.Certificate.Certificate.Bytes, [])]);
        }

        if (_effects.Fork is { } fork)
        {
            _outputs.Forked(fork, EvidenceOf(fork));
        }

        // What follows ends links, which comes back here: the effects are done by then.
        Misbehaved[] misbehaved = [.. _effects.Misbehaved];
        WitnessIndex[] behind = [.. _effects.Behind];
        Wanted[] wanted = [.. _effects.Wanted];
        _effects.Clear();
        foreach (Misbehaved one in misbehaved)
        {
            OnMisbehaved(one.Witness, $"It sent what does not verify: {one.Reason}.");
        }

        foreach (WitnessIndex one in behind)
        {
            if (_watched.LinkOf(one) is { } link)
            {
                Close(link, "Its tips lack what other witnesses prove.");
            }
        }

        foreach (Wanted one in wanted)
        {
            OnWanted(one);
        }
    }

    private void OnMisbehaved(WitnessIndex witness, string what)
    {
        _outputs.Notify(new WitnessMisbehaved(witness, what));
        foreach (SubscriptionChannel channel in (SubscriptionChannel[])[SubscriptionChannel.Bodies, SubscriptionChannel.Tips])
        {
            if (LinkOf(witness, channel) is { } link)
            {
                Close(link, what);
            }
        }
    }

    private List<VerifiedEvidence> EvidenceOf(Fork fork)
    {
        EvidenceVerifier verifier = new(_committee, _scheme);
        List<VerifiedEvidence> evidence = [];
        foreach (Evidence claim in fork.ToEvidence(_committee))
        {
            if (verifier.TryVerify(claim, out VerifiedEvidence? verified, out _))
            {
                evidence.Add(verified);
                _outputs.Notify(new EvidenceSeen(verified));
            }
        }

        return evidence;
    }
}
