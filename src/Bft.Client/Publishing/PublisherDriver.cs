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
/// One thread at a time owns it, except for <see cref="IsCovered"/> and <see cref="RepliesOf"/>. Its host submits what <see cref="WhyMustWait"/> allows, and after each input performs what
/// <see cref="Seal"/> gives: nothing leaves before <see cref="OnCommitted"/> (P2). A disk that refuses is an exception out of any input, and the end.
/// </remarks>
internal sealed class PublisherDriver
{
    private readonly Committee _committee;
    private readonly Topic _topic;
    private readonly ISigner _signer;
    private readonly ISignatureScheme _scheme;
    private readonly RoleOptions _options;
    private readonly PublisherJournal? _journal;
    private readonly Func<ulong> _random;
    private readonly IPublisherOutputs _outputs;
    private readonly PublishReplies[] _replies;
    private readonly AckVerifier _tipVerifier;
    private readonly PublisherEffects _effects = new();
    private readonly Queue<(VerifiedBatch Batch, object? Ticket)> _inFlight = new();
    private PublisherRole _role;
    private VerifiedCertificate? _covered;
    private CertifiedFrame? _linkTarget;
    private WitnessSet _connected;
    private WitnessSet _notAdmitting;
    private long _nowMs;
    private volatile Progress _progress;

    /// <summary>Goes on with what the journal holds, or begins a new incarnation.</summary>
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
        _scheme = scheme;
        _options = options;
        _journal = journal;
        _random = random;
        _nowMs = nowMs;
        _outputs = outputs;
        _tipVerifier = new AckVerifier(committee, scheme, NodeLimits.Default.RememberedRootsMax);
        _replies = [.. committee.GetMembers().Select(_ => new PublishReplies(committee, scheme, IsCovered))];
        _role = TryRestore() ?? Begin(journal?.Found.Highest ?? default, default, journal is null ? "No journal is kept." : "The journal holds nothing to go on with.");
        _progress = new Progress(_role.Header, _role.FirstUncovered);
        Perform();
    }

    /// <summary>The stream that submissions go to now. On any thread.</summary>
    public StreamHeader Header => _progress.Header;

    /// <summary>Batches that are not covered yet.</summary>
    public int InFlight => _inFlight.Count;

    /// <summary>Nothing more is signed, and no input changes anything.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether a batch of the current stream is covered. On any thread; a moment late at worst.</summary>
    public bool IsCovered(Slot slot)
    {
        Progress now = _progress;
        return slot.Stream == now.Header.Id && slot.Sequence < now.FirstUncovered;
    }

    /// <summary>Verifies a witness's replies before <see cref="OnReply"/>; for a host that does so on other threads, one per witness.</summary>
    public PublishReplies RepliesOf(WitnessIndex witness) => _replies[witness.Value];

    /// <summary>A session with the witness is open.</summary>
    public void OnConnected(WitnessIndex witness)
    {
        _connected = _connected.With(witness);
        _notAdmitting = _notAdmitting.Without(witness);
        Greet(witness);
        Perform();
    }

    public void OnDisconnected(WitnessIndex witness)
    {
        _connected = _connected.Without(witness);
        _role.OnDisconnected(witness);
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
                _role.OnAcks(acks.Acks, _effects);
                break;
            case CertificateReply certificate:
                _role.OnCertificate(certificate.Certificate, _effects);
                break;
            case RefusalReply refusal:
                _role.OnRefusal(witness, refusal.Refusal, _effects);
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
        foreach (WitnessIndex witness in _committee.GetMembers())
        {
            if (RepliesOf(witness).TakeTip() is { } tip)
            {
                OnTip(witness, tip);
            }
        }

        _role.OnTick(_effects);
        Perform();
    }

    /// <summary>P4: why a body of this many bytes cannot be submitted now; null when it can.</summary>
    public WaitReason? WhyMustWait(int bodyLength) => IsEnded ? WaitReason.Ended : _role.WhyMustWait(bodyLength);

    /// <summary>Signs the next batch (P1).</summary>
    /// <param name="messages">Of the batch; the caller's again afterwards.</param>
    /// <param name="ticket">Comes back when the batch is covered.</param>
    public void Submit(BodyBuilder messages, object? ticket)
    {
        SharedBody body = SharedBody.Rent(messages.BodyLength);
        BodyDescription description = messages.Build(body.Memory.Span);
        _inFlight.Enqueue((_role.Submit(description, body.Memory, body, _effects), ticket));
        Perform();
    }

    /// <summary>What has to be flushed next; null when nothing has, or a commit is under way.</summary>
    public JournalCommit? Seal() => _journal?.Seal(_role.Header.Incarnation, _covered, [.. _inFlight.Select(entry => entry.Batch)]);

    /// <summary>The commit was performed: what it holds may leave.</summary>
    public void OnCommitted(JournalCommit commit)
    {
        // A commit of an incarnation that was left in the meantime makes nothing of this one durable.
        if (_journal!.OnDurable(commit) is { } last && last < _role.Next)
        {
            _role.OnDurable(last, _effects);
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
        return left;
    }

    /// <summary>After <see cref="End"/>, when no commit is under way: all that the journal was given becomes durable, and is proven so.</summary>
    public void CloseJournal() => _journal?.Flush();

    private PublisherRole? TryRestore()
    {
        if (_journal?.Found is not { Incarnation: { } incarnation } replay)
        {
            return null;
        }

        StreamHeader header = new(_committee.Cluster, _signer.PublicKey, _topic, incarnation);
        BatchVerifier batches = new(_committee.Cluster, _committee.Limits, _scheme);
        if (replay.TryRestore(_journal, header, batches, _tipVerifier) is not { } found)
        {
            return null;
        }

        PublisherRole role = NewRole(header, default);
        if (found.Covered is { } covered)
        {
            _covered = covered;
            role.RestoreCertificate(covered, _effects);
        }

        foreach (VerifiedBatch batch in found.Uncovered)
        {
            role.RestoreBatch(batch);
            _inFlight.Enqueue((batch, null));
        }

        role.Continue();
        _outputs.Opened(header, $"The journal goes on at batch {role.Next}.");
        return role;
    }

    /// <summary>A new incarnation, above every one that is known (P7).</summary>
    private PublisherRole Begin(Incarnation above, Ancestor link, string why)
    {
        Incarnation incarnation = new(Math.Max((ulong)_nowMs, above.Counter + 1), _random());
        _journal?.Append(incarnation);
        PublisherRole role = NewRole(new StreamHeader(_committee.Cluster, _signer.PublicKey, _topic, incarnation), link);
        role.Continue();
        _outputs.Opened(role.Header, why);
        return role;
    }

    private PublisherRole NewRole(StreamHeader header, Ancestor link) => new(_committee, header, _signer, _options, link);

    /// <summary>What is not covered yet is a way to a certificate (W2).</summary>
    private void OnTip(WitnessIndex witness, QuorumCertificate tip)
    {
        if (!_role.TryTip(witness, tip.Batch) && _tipVerifier.TryVerify(tip, out VerifiedCertificate? verified, out _))
        {
            _role.OnTip(witness, verified, _effects);
        }
    }

    private void Perform()
    {
        while (HasEffects())
        {
            if (IsEnded)
            {
                _effects.Clear();
                return;
            }

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
                SignedStatement signed = SignedStatement.From(send.Batch.Statement);
                _outputs.Send(send.To, new BatchFrame(new SignedBatch(signed.Bytes, signed.Signature, send.Batch.Body, send.Batch.BodyOwner)), send.Batch.Reference.Slot);
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
                BeginAgain(needed.Reason);
            }

            if (_journal is null && batches.Length > 0)
            {
                // P2 without a journal: every start opens a new incarnation, so nothing has to be durable first.
                _role.OnDurable(batches[^1].Sequence, _effects);
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
        _progress = new Progress(_role.Header, _role.FirstUncovered);
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

    /// <summary>P6: what is not certified is published again in a new incarnation, which follows the last batch that is.</summary>
    private void BeginAgain(RefusalReason reason)
    {
        StreamHeader old = _role.Header;
        Ancestor link = default;
        if (_covered is { } target)
        {
            link = Ancestor.Link(old.Incarnation, target.Batch.Sequence, target.Batch.Digest);
            _linkTarget = new CertifiedFrame(target.Certificate.Bytes, []);
        }

        _role = Begin(old.Incarnation, link, $"The witnesses say that the last one is {reason}.");
        _progress = new Progress(_role.Header, _role.FirstUncovered);
        _covered = null;
        (VerifiedBatch Batch, object? Ticket)[] again = [.. _inFlight];
        _inFlight.Clear();
        foreach ((VerifiedBatch batch, object? ticket) in again)
        {
            _inFlight.Enqueue((_role.Submit(batch.Statement.Statement.Body, batch.Body, batch.BodyOwner, _effects), ticket));
        }

        foreach (WitnessIndex witness in _committee.GetMembers().Where(_connected.Contains))
        {
            Greet(witness);
        }
    }

    /// <summary>What a session begins with.</summary>
    private void Greet(WitnessIndex witness)
    {
        if (_linkTarget is { } target)
        {
            _outputs.Send(witness, target);
        }

        _role.OnConnected(witness, _effects);
    }

    /// <summary>What other threads may know.</summary>
    private sealed record Progress(StreamHeader Header, Sequence FirstUncovered);
}
