using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using RoleOptions = Bft.Protocol.Publishing.PublisherOptions;

namespace Bft.Client;

/// <summary>A publisher without its threads: role and journal, frames in and frames out. What it decides depends on its inputs alone.</summary>
/// <remarks>
/// It begins by asking the witnesses what they hold of the publisher (P7), and signs nothing before n − f have answered.
/// One thread at a time owns it, except for <see cref="IsCovered"/> and <see cref="RepliesOf"/>. Its host submits what <see cref="WhyMustWait"/> allows, and after each input performs what
/// <see cref="Seal"/> gives: nothing leaves before <see cref="OnCommitted"/> (P2). A disk that refuses is an exception out of any input, and the end.
/// </remarks>
internal sealed class PublisherDriver
{
    private readonly Committee _committee;
    private readonly Topic _topic;
    private readonly ISigner _signer;
    private readonly RoleOptions _options;
    private readonly PublisherJournal? _journal;
    private readonly Func<ulong> _random;
    private readonly IPublisherOutputs _outputs;
    private readonly PublishReplies[] _replies;
    private readonly AckVerifier _tipVerifier;
    private readonly EarlierRuns _earlier;
    private readonly PublisherEffects _effects = new();
    private readonly Queue<(VerifiedBatch Batch, object? Ticket)> _inFlight = new();
    private PublisherRole? _role;
    private VerifiedCertificate? _covered;
    private RefusalReason? _callForNew;
    private WitnessSet _connected;
    private WitnessSet _notAdmitting;
    private long _nowMs;
    private long _ticks;
    private long _newNotBefore;
    private long _sayAt;
    private volatile Progress? _progress;

    /// <summary>Reads what the journal holds. Whether that is continued, the witnesses' answers decide (P7).</summary>
    /// <param name="committee">The witnesses.</param>
    /// <param name="topic">Where it publishes.</param>
    /// <param name="signer">Holds the publisher's key.</param>
    /// <param name="scheme">Verifies signatures.</param>
    /// <param name="options">Patience; in ticks of <see cref="OnTick"/>.</param>
    /// <param name="journal">P2; without one each start opens a new incarnation.</param>
    /// <param name="random">Random bits for incarnations.</param>
    /// <param name="nowMs">The clock. Unit: milliseconds since 1970.</param>
    /// <param name="outputs">Performs what is decided.</param>
    public PublisherDriver(
        Committee committee, Topic topic, ISigner signer, ISignatureScheme scheme, RoleOptions options, PublisherJournal? journal, Func<ulong> random, long nowMs, IPublisherOutputs outputs)
    {
        _committee = committee;
        _topic = topic;
        _signer = signer;
        _options = options;
        _journal = journal;
        _random = random;
        _nowMs = nowMs;
        _sayAt = options.ResendFirstTicks;
        _outputs = outputs;
        _tipVerifier = new AckVerifier(committee, scheme, NodeLimits.Default.RememberedRootsMax);
        _replies = [.. committee.Members.Select(_ => new PublishReplies(committee, signer.PublicKey, topic, new CountedSignatures(scheme), IsCovered))];
        _earlier = new EarlierRuns(committee, topic, signer, scheme, options, journal, _tipVerifier, outputs);
    }

    /// <summary>The stream that submissions go to now; null while the witnesses are asked (P7). On any thread.</summary>
    public StreamHeader? Header => _progress?.Header;

    /// <summary>Sees what each input made the role decide, before any of it is performed: for those who check.</summary>
    public Action<PublisherEffects>? Decided { get; set; }

    /// <summary>The batches that are not covered yet, in the order of submission.</summary>
    public IEnumerable<VerifiedBatch> Uncovered => _role is null ? _earlier.Held : _inFlight.Select(entry => entry.Batch);

    /// <summary>Batches that are not covered yet.</summary>
    public int InFlight => _inFlight.Count;

    /// <summary>Nothing more is signed, and no input changes anything.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether a batch of the current stream is covered. On any thread; a moment late at worst.</summary>
    public bool IsCovered(Slot slot)
    {
        return _progress is { } now && slot.Stream == now.Header.Id && slot.Sequence < now.FirstUncovered;
    }

    /// <summary>Verifies a witness's replies before <see cref="OnReply"/>; for a host that does so on other threads, one per witness.</summary>
    public PublishReplies RepliesOf(WitnessIndex witness) => _replies[witness.Value];

    /// <summary>A session with the witness is open.</summary>
    public void OnConnected(WitnessIndex witness)
    {
        _connected = _connected.With(witness);
        _notAdmitting = _notAdmitting.Without(witness);
        _earlier.OnConnected(witness);
        _role?.OnConnected(witness, _effects);
        Perform();
    }

    public void OnDisconnected(WitnessIndex witness)
    {
        _connected = _connected.Without(witness);
        _earlier.OnDisconnected(witness);
        _role?.OnDisconnected(witness);
    }

    /// <summary>A witness does not take this client at all; when f + 1 say so, a correct one does.</summary>
    public void OnNotAdmitted(WitnessIndex witness)
    {
        _notAdmitting = _notAdmitting.With(witness);
        if (_notAdmitting.Count >= _committee.Size.OneCorrect)
        {
            EndWith(new PublishRefusedException(RefusalReason.NotAllowed, _topic, "the witnesses do not know this key. Add it under clients in every witness's cluster.yaml."));
        }
    }

    /// <summary>A frame came; its bytes were decoded, and nothing else about it is known.</summary>
    public void OnFrame(WitnessIndex witness, IPublishReply frame)
    {
        if (RepliesOf(witness).Verify(frame) is { } reply)
        {
            OnReply(witness, reply);
        }
    }

    /// <summary>The second half of <see cref="OnFrame"/>.</summary>
    public void OnReply(WitnessIndex witness, VerifiedReply reply)
    {
        switch (reply)
        {
            case AcksReply acks:
                _role?.OnAcks(acks.Acks, _effects);
                _earlier.OnAcks(acks.Acks);
                break;
            case CertificateReply { Certificate: { } certificate }:
                On(certificate.Batch.Stream, (role, effects) => role.OnCertificate(certificate, effects));
                break;
            case RefusalReply { Refusal: { } refusal }:
                _earlier.OnShown(refusal.Live);
                On(refusal.Refusal.Slot.Stream, (role, effects) => role.OnRefusal(witness, refusal, effects));
                break;
            case StandingReply standing:
                OnStanding(witness, standing.Standing);
                break;
            case BodyReply body:
                _earlier.OnBody(body.Body);
                break;
            case BadReply bad:
                _outputs.Misbehaved(witness, bad.What);
                break;
            default:
                throw new InvalidOperationException($"No such reply: {reply}.");
        }

        Perform();
    }

    /// <param name="nowMs">The clock. Unit: milliseconds since 1970.</param>
    public void OnTick(long nowMs)
    {
        _nowMs = nowMs;
        _ticks++;
        foreach (WitnessIndex witness in _committee.Members)
        {
            foreach (QuorumCertificate tip in RepliesOf(witness).TakeTips())
            {
                OnTip(witness, tip);
            }
        }

        if (_role is null && _ticks == _sayAt)
        {
            _sayAt *= 2;
            _outputs.Asking(_earlier.Answers, _committee.Size.Responsive);
        }

        _earlier.OnTick();
        _role?.OnTick(_effects);

        // What is covered by now is not published again.
        Perform();
        BeginAgain();
        Perform();
    }

    /// <summary>P4: why a body of this many bytes cannot be submitted now; null when it can.</summary>
    public WaitReason? WhyMustWait(int bodyLength) => IsEnded ? WaitReason.Ended : _role is null ? WaitReason.Asking : _role.WhyMustWait(bodyLength);

    /// <summary>Signs the next batch (P1).</summary>
    /// <param name="messages">Of the batch; the caller's again afterwards.</param>
    /// <param name="ticket">Comes back when the batch is covered.</param>
    public void Submit(BodyBuilder messages, object? ticket)
    {
        SharedBody body = SharedBody.Rent(messages.BodyLength);
        BodyDescription description = messages.Build(body.Memory.Span);
        _inFlight.Enqueue((Role.Submit(description, body.Memory, body, _effects), ticket));
        Perform();
    }

    /// <summary>What has to be flushed next; null when nothing has, or a commit is under way.</summary>
    public JournalCommit? Seal() => _role is null ? null : _journal?.Seal(_role.Header.Incarnation, _covered, _inFlight.Select(entry => entry.Batch));

    /// <summary>The commit was performed: what it holds may leave.</summary>
    public void OnCommitted(JournalCommit commit)
    {
        // A commit of an incarnation that was left in the meantime makes nothing of this one durable (P2).
        if (_journal!.OnDurable(commit) is { } last && last.Stream == Role.Header.Id)
        {
            Role.OnDurable(last.Sequence, _effects);
        }

        Perform();
    }

    /// <summary>Ends it. What is not covered may be covered all the same, or stays in the journal for the next start.</summary>
    /// <returns>The tickets of that.</returns>
    public IReadOnlyList<object?> End()
    {
        IsEnded = true;
        object?[] left = [.. _inFlight.Select(entry => entry.Ticket)];
        foreach ((VerifiedBatch batch, _) in _inFlight)
        {
            batch.BodyOwner!.Dispose();
        }

        _inFlight.Clear();
        _earlier.End();
        return left;
    }

    /// <summary>After <see cref="End"/>, when no commit is under way: all that the journal was given becomes durable, and is proven so.</summary>
    public void CloseJournal() => _journal?.Flush();

    private PublisherRole Role => _role ?? throw new InvalidOperationException("The witnesses are still being asked (P7).");

    private void On(StreamId stream, Action<PublisherRole, PublisherEffects> input)
    {
        if (_role is { } role && role.Header.Id == stream)
        {
            input(role, _effects);
        }
        else
        {
            _earlier.On(stream, input);
        }
    }

    /// <summary>P7: a witness says what it holds of us.</summary>
    private void OnStanding(WitnessIndex witness, CheckedStanding standing)
    {
        _earlier.OnStanding(witness, standing);
        if (_role is null && _earlier.IsAnswered)
        {
            if (_earlier.WhyNotContinued() is { } why)
            {
                Begin(why);
            }
            else
            {
                Continue();
            }
        }

        if (_role is not null)
        {
            _earlier.FinishShown(_role.Header.Id);
        }
    }

    private void Continue()
    {
        (StreamHeader header, RestoredStream found) = _earlier.Continue();
#if PLANTED
        found = Planted.Is("sequence-reused") ? found with { Uncovered = [] } : found;
#endif
        _role = new PublisherRole(_committee, header, _signer, _options);
        _covered = found.Covered;
        _role.Restore(found.Covered, found.Uncovered);
        _role.Continue();
        foreach (VerifiedBatch batch in found.Uncovered)
        {
            _inFlight.Enqueue((batch, null));
        }

        OnOpened($"The journal goes on at batch {_role.Next}.");
    }

    /// <summary>P7: a new incarnation, above every one that is known, and linked to the highest certified batch.</summary>
    private void Begin(string why)
    {
        (Incarnation above, Ancestor link) = _earlier.Succeed();
        Incarnation incarnation = new(Math.Max((ulong)_nowMs, above.Counter + 1), _random());
        _journal?.Append(incarnation);
        _role = new PublisherRole(_committee, _earlier.HeaderOf(incarnation), _signer, _options, link);
        _role.Continue();
        _covered = null;
        OnOpened(why);
    }

    private void OnOpened(string why)
    {
        _progress = new Progress(Role.Header, Role.FirstUncovered);
        _outputs.Opened(Role.Header, why);
        foreach (WitnessIndex witness in _committee.Members.Where(_connected.Contains))
        {
            Role.OnConnected(witness, _effects);
        }
    }

    /// <summary>What is not covered yet is a way to a certificate (W2).</summary>
    private void OnTip(WitnessIndex witness, QuorumCertificate tip) => On(tip.Batch.Stream, (role, effects) =>
    {
        if (!role.TryTip(witness, tip.Batch) && _tipVerifier.TryVerify(tip, out VerifiedCertificate? verified, out _))
        {
            role.OnTip(witness, verified, effects);
        }
    });

    private void Perform()
    {
        while (HasEffects())
        {
            if (IsEnded)
            {
                _effects.Clear();
                return;
            }

            Decided?.Invoke(_effects);
            VerifiedBatch[] batches = [.. _effects.Batches];
            foreach (VerifiedBatch batch in batches)
            {
                _journal?.Append(batch);
            }

            foreach (VerifiedCertificate certificate in _effects.Certificates)
            {
                _journal?.Append(certificate);
            }

            foreach (BatchSend send in _effects.Sends)
            {
                _outputs.Send(send);
            }

            foreach (CertificateHandOver handOver in _effects.HandOvers)
            {
                _outputs.Send(handOver.To, new CertifiedFrame(handOver.Certificate.Certificate.Bytes, []));
            }

            OnCovered([.. _effects.Covered]);
            BatchRefused? refused = _effects.Refused.Count > 0 ? _effects.Refused[0] : null;
            PublisherEnd? end = _effects.End;
            _effects.Clear();
            if (refused is { } why)
            {
                Abandon(PublishRefusedException.Of(why.Reason, _topic));
            }
            else if (end is JournalLost lost)
            {
                Abandon(new JournalLostException(_topic, lost));
            }
            else if (end is NewIncarnationNeeded needed)
            {
                _callForNew = needed.Reason;
                BeginAgain();
            }

            if (_journal is null && batches.Length > 0 && batches[^1].Reference.Stream == Role.Header.Id)
            {
                // P2 without a journal: every start opens a new incarnation, so nothing has to be durable first.
                Role.OnDurable(batches[^1].Sequence, _effects);
            }
        }
    }

    private bool HasEffects() => _effects.Batches.Count + _effects.Certificates.Count + _effects.Sends.Count + _effects.HandOvers.Count
        + _effects.Covered.Count + _effects.Refused.Count + _effects.Ignored.Count > 0 || _effects.End is not null;

    private void OnCovered(CoveredBatch[] covered)
    {
        if (covered.Length == 0)
        {
            return;
        }

        VerifiedStatement[] statements = [.. covered.Select(one => one.Batch.Statement)];
        _progress = new Progress(Role.Header, Role.FirstUncovered);
        for (int i = 0; i < covered.Length; i++)
        {
            // Slots are covered in order, so a certificate's own slot is covered with those below it.
            int count = (int)(covered[i].Certificate.Batch.Sequence.Value - covered[i].Batch.Sequence.Value) + 1;
            _outputs.Covered(covered[i], new ArraySegment<VerifiedStatement>(statements, i, count), _inFlight.Dequeue().Ticket);
        }

        _covered = covered[^1].Certificate;
    }

    private void Abandon(PublishException reason)
    {
        _journal?.Abandon();
        EndWith(reason);
    }

    private void EndWith(PublishException reason)
    {
        if (!IsEnded)
        {
            IsEnded = true;
            _outputs.Ended(reason);
        }
    }

    /// <summary>P6: what is not certified is published again in a new incarnation, and finished in the old one beside it; not twice in one time-out, for "full" is not helped by many.</summary>
    private void BeginAgain()
    {
        if (_callForNew is not { } reason || _ticks < _newNotBefore)
        {
            return;
        }

        PublisherRole old = Role;
        (VerifiedBatch Batch, object? Ticket)[] again = [.. _inFlight];
        _inFlight.Clear();
        _callForNew = null;
        _newNotBefore = _ticks + _options.RetiredTicks;
        foreach ((VerifiedBatch batch, _) in again)
        {
            ((SharedBody)batch.BodyOwner!).Share();
        }

        _earlier.Leave(old, _covered);
        Begin($"The witnesses say that the last one is {reason}.");
        foreach ((VerifiedBatch batch, object? ticket) in again)
        {
            BodyDescription repeated = batch.Statement.Statement.Body with { IsPossibleRepeat = true };
            _inFlight.Enqueue((Role.Submit(repeated, batch.Body, batch.BodyOwner, _effects), ticket));
        }
    }

    /// <summary>What other threads may know.</summary>
    private sealed record Progress(StreamHeader Header, Sequence FirstUncovered);
}
