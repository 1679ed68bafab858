using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Roles;

/// <summary>A publisher's side of one stream. Implements rules P1 to P6 of docs/protocol.md; a new incarnation is a new role.</summary>
/// <remarks>What its outputs promise is said by <see cref="PublisherEffects"/>. Not thread-safe: one thread at a time owns it.</remarks>
public sealed class PublisherRole
{
    private readonly Committee _committee;
    private readonly ISigner _signer;
    private readonly PublisherOptions _options;
    private readonly SendWindow _window;
    private readonly AckCollector _acks;
    private readonly WitnessLink[] _links;
    private readonly HandOverQueue _handOvers;
    private readonly RetiredCalls _retiredCalls;
    private Ancestor _ancestor;
    private bool _isRestoring = true;
    private long _now;

    /// <param name="committee">The witnesses.</param>
    /// <param name="header">The stream.</param>
    /// <param name="signer">Holds the header's publisher key.</param>
    /// <param name="options">Patience.</param>
    /// <param name="link">What sequence 0 of a fresh incarnation follows: nothing, or a batch of a lower one (P7).</param>
    /// <exception cref="ArgumentException">The parts do not fit each other.</exception>
    public PublisherRole(Committee committee, StreamHeader header, ISigner signer, PublisherOptions options, Ancestor link = default)
    {
        ArgumentNullException.ThrowIfNull(committee);
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(signer);
        ArgumentNullException.ThrowIfNull(options);
        if (options.WhyIllegal() is { } reason)
        {
            throw new ArgumentException(reason, nameof(options));
        }

        if (header.Cluster != committee.Cluster || header.Publisher != signer.PublicKey)
        {
            throw new ArgumentException("The header names another cluster or another key.", nameof(header));
        }

        if (link.Kind == AncestorKind.Previous || (link.Kind == AncestorKind.Link && link.Incarnation >= header.Incarnation))
        {
            throw new ArgumentException("A stream begins with nothing before it, or with a link to a lower incarnation.", nameof(link));
        }

        _committee = committee;
        _signer = signer;
        _options = options;
        _window = new SendWindow(committee.Limits);
        _acks = new AckCollector(committee);
        _links = [.. committee.Members.Select(witness => new WitnessLink(witness, options))];
        _handOvers = new HandOverQueue(committee, options.HandOverTicks);
        _retiredCalls = new RetiredCalls(committee.Size, options.RetiredTicks);
        _ancestor = link;
        Header = header;
    }

    public StreamHeader Header { get; }

    /// <summary>The slot of the batch to be submitted next.</summary>
    public Sequence Next => _window.End;

    /// <summary>The lowest slot not covered; every slot below is.</summary>
    public Sequence FirstUncovered => _window.First;

    /// <summary>The batches from <see cref="FirstUncovered"/> on.</summary>
    public IEnumerable<VerifiedBatch> Uncovered => _window.Batches.Select(sent => sent.Batch);

    /// <summary>Body bytes that are not covered yet.</summary>
    public long UncoveredBytes => _window.Bytes;

    /// <summary>All is covered, and n − f witnesses show it: there is nothing to do unless something is submitted.</summary>
    public bool IsIdle => _window.Batches.Count == 0 && _handOvers.IsEmpty;

    /// <summary>Why the stream takes no more batches; null while it does.</summary>
    public PublisherEnd? End { get; private set; }

    /// <summary>A batch from the journal, below its durable mark at start, in sequence order. The first one may follow a restored certificate.</summary>
    /// <exception cref="InvalidOperationException">The journal does not hold this stream without gaps; continuing it would break P1 or P2.</exception>
    public void RestoreBatch(VerifiedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Require(_isRestoring, "Batches are restored before Continue.");
        Require(batch.Reference.Stream == Header.Id, "The journal holds a batch of another stream.");
        if (batch.Sequence < _window.First)
        {
            return;
        }

        Require(
            batch.Sequence == Next && (batch.Sequence.IsFirst || batch.Statement.Statement.Ancestor == _ancestor),
            $"The journal holds a batch that does not follow the one before: {batch.Reference}.");
        Append(batch).DurableAt = _now;
    }

    /// <summary>What is left of a stream: a certificate up to which all is covered, and the batches after it.</summary>
    /// <exception cref="InvalidOperationException">They are not this stream's, or leave a gap.</exception>
    public void Restore(VerifiedCertificate? covered, IEnumerable<VerifiedBatch> uncovered)
    {
        ArgumentNullException.ThrowIfNull(uncovered);
        if (covered is not null)
        {
            // It begins the stream here, so it covers no batch that is restored.
            RestoreCertificate(covered, new PublisherEffects());
        }

        foreach (VerifiedBatch batch in uncovered)
        {
            RestoreBatch(batch);
        }
    }

    /// <summary>P7: a batch of an earlier run whose body was found late, after those before it; it is sent at once.</summary>
    /// <exception cref="InvalidOperationException">It does not follow the ones before, or the stream was continued.</exception>
    public void Recover(VerifiedBatch batch, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        RestoreBatch(batch);
        foreach (WitnessLink link in _links.Where(link => link.IsConnected))
        {
            Send(_window.Find(batch.Sequence)!, link, effects);
        }
    }

    /// <summary>A certificate from the journal, in the journal's order. One without its batch begins a journal that was cut: all up to its slot is covered.</summary>
    /// <exception cref="InvalidOperationException">It is not for what the journal holds.</exception>
    public void RestoreCertificate(VerifiedCertificate certificate, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(effects);
        Require(_isRestoring, "Certificates are restored before Continue.");
        Require(certificate.Batch.Stream == Header.Id, "The journal holds a certificate of another stream.");
        Sequence sequence = certificate.Batch.Sequence;
        if (_window.End.IsFirst)
        {
            _window.BeginAt(sequence.Following);
            _ancestor = Ancestor.Previous(certificate.Batch.Digest);
            _handOvers.Add(certificate, _now);
            return;
        }

        if (sequence >= _window.First)
        {
            Require(_window.Find(sequence)?.Batch.Digest == certificate.Batch.Digest, $"The journal holds a certificate for what it does not hold: {certificate}.");
            Cover(certificate, isFromJournal: true, effects);
        }
    }

    /// <summary>Ends restoring; a fresh stream restores nothing.</summary>
    public void Continue() => _isRestoring = false;

    /// <summary>P4: why a batch with a body of this many bytes cannot be submitted now; null when it can.</summary>
    public WaitReason? WhyMustWait(int bodyLength) => End is not null ? WaitReason.Ended : _window.WhyMustWait(bodyLength);

    /// <summary>Signs the next batch (P1) and asks for its journal record; it is sent when that is durable (P2).</summary>
    /// <param name="description">What <see cref="Bodies.BodyBuilder.Build"/> said about the body.</param>
    /// <param name="body">Must stay as it is until the batch is covered.</param>
    /// <param name="owner">Travels with the batch; the role never disposes it.</param>
    /// <param name="effects">Gets the record.</param>
    /// <exception cref="ArgumentException">The description is another body's.</exception>
    /// <exception cref="InvalidOperationException">It must wait (<see cref="WhyMustWait"/>), or the stream is being restored.</exception>
    public VerifiedBatch Submit(BodyDescription description, ReadOnlyMemory<byte> body, IDisposable? owner, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        Require(!_isRestoring, "A stream is continued before anything is submitted.");
        if (body.Length != description.Length)
        {
            throw new ArgumentException("The description is another body's.", nameof(body));
        }

        if (WhyMustWait(body.Length) is { } reason)
        {
            throw new InvalidOperationException($"This batch has to wait: {reason}.");
        }

        BatchStatement statement = BatchStatement.Create(Header, Next, _ancestor, description);
        VerifiedBatch batch = BatchVerifier.Sign(statement, _signer, body, owner);
        Append(batch);
        effects.Batches.Add(batch);
        return batch;
    }

    /// <summary>The journal's records up to and with this slot are durable: they may leave (P2, P3).</summary>
    public void OnDurable(Sequence last, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(last, Next);
        foreach (SentBatch sent in _window.Batches)
        {
            if (sent.Batch.Sequence > last || sent.DurableAt is not null)
            {
                continue;
            }

            sent.DurableAt = _now;
            foreach (WitnessLink link in _links)
            {
                if (link.IsConnected)
                {
                    Send(sent, link, effects);
                }
            }
        }
    }

    /// <summary>A connection to this witness is open: it is sent all that it has not acked (P3).</summary>
    public void OnConnected(WitnessIndex witness, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        WitnessLink link = _links[witness.Value];
        link.OnConnected(_now);
        foreach (SentBatch sent in _window.Batches)
        {
            Send(sent, link, effects);
        }
    }

    public void OnDisconnected(WitnessIndex witness) => _links[witness.Value].IsConnected = false;

    /// <summary>Time passes: resends (P3), hand-overs (P5), time-outs (P6).</summary>
    public void OnTick(PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        _now++;
        foreach (WitnessLink link in _links)
        {
            Resend(link, effects);
            HandOver(link, effects);
        }

        JudgeRetirement(effects);
    }

    /// <summary>Acks have passed verification, all of one bundle at best: the highest slot with a quorum is certified first, so that one certificate covers many.</summary>
    public void OnAcks(IReadOnlyList<VerifiedAck> acks, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(acks);
        ArgumentNullException.ThrowIfNull(effects);
        bool hasCounted = false;
        foreach (VerifiedAck ack in acks)
        {
            if (WhyIgnored(ack) is { } reason)
            {
                effects.Ignored.Add(reason);
                continue;
            }

            // C1: one per witness and slot. Only acks of our own batches get here, so none conflicts with another.
            _acks.OnAck(ack, out _);
            SentBatch sent = _window.Find(ack.Batch.Sequence)!;
            sent.Acked = sent.Acked.With(ack.Witness);
            _links[ack.Witness.Value].OnAck(sent, _now);
            hasCounted = true;
        }

        if (hasCounted)
        {
            Certify(effects);
        }
    }

    /// <summary>A certificate has passed verification: a witness's answer for a covered slot (W2).</summary>
    public void OnCertificate(VerifiedCertificate certificate, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(effects);
        if (WhyIgnored(certificate) is { } reason)
        {
            effects.Ignored.Add(reason);
            return;
        }

        SentBatch? ours = _window.Find(certificate.Batch.Sequence);
        if (ours is null || ours.Batch.Digest != certificate.Batch.Digest)
        {
            // P6: among a quorum f + 1 correct witnesses saw our signature on something that we did not sign, or forgot.
            EndWith(new JournalLost(certificate.Batch.Slot, ours?.Batch.Statement, Shown: null, certificate), effects);
            return;
        }

        // Our own statements link its slot to those below, so it covers our batches there down to its base.
        Cover(certificate, isFromJournal: false, effects);
    }

    /// <summary>A tip whose signatures nobody looked at. In what is covered it needs none: what counts is that the witness shows it (P5, D6).</summary>
    /// <returns>False when it is news: verify it, and call <see cref="OnTip"/>.</returns>
    public bool TryTip(WitnessIndex witness, BatchRef shown)
    {
        if (shown.Stream != Header.Id)
        {
            return true;
        }

        if (shown.Sequence >= _window.First)
        {
            return false;
        }

        RaiseTip(witness, shown.Sequence);
        return true;
    }

    /// <summary>A witness's tip has passed verification (P5).</summary>
    public void OnTip(WitnessIndex witness, VerifiedCertificate certificate, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        OnCertificate(certificate, effects);
        if (certificate.Batch.Stream == Header.Id)
        {
            RaiseTip(witness, certificate.Batch.Sequence);
        }
    }

    /// <summary>A witness refuses a batch of ours; what it shows decides (P6).</summary>
    public void OnRefusal(WitnessIndex witness, CheckedRefusal refusal, PublisherEffects effects)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        ArgumentNullException.ThrowIfNull(effects);
        if (refusal.Refusal.Slot.Stream != Header.Id)
        {
            effects.Ignored.Add(PublisherIgnored.OtherStream);
            return;
        }

        if (refusal.Certificate is { } certificate)
        {
            OnCertificate(certificate, effects);
        }

        RefusalReason reason = refusal.Refusal.Reason;
        if (refusal.Original is { IsSigned: true } original && IsForgotten(original.Reference))
        {
            EndWith(new JournalLost(original.Reference.Slot, _window.Find(original.Sequence)?.Batch.Statement, original, Certificate: null), effects);
        }
        else if (_window.Find(refusal.Refusal.Slot.Sequence) is not { DurableAt: not null, Covering: null } sent)
        {
            effects.Ignored.Add(PublisherIgnored.ProvesNothing);
        }
        else if (reason.IsPermanent())
        {
            sent.RefusedBy[witness] = reason;
            ReportRefusal(sent, effects);
        }
        else if (reason.CallsForNewIncarnation())
        {
            _retiredCalls.Add(witness, reason, _now);
            JudgeRetirement(effects);
        }
        else
        {
            effects.Ignored.Add(PublisherIgnored.ProvesNothing);
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new InvalidOperationException(message);
        }
    }

    private PublisherIgnored? WhyIgnored(VerifiedAck ack) =>
        ack.Batch.Stream != Header.Id ? PublisherIgnored.OtherStream
        : ack.Batch.Sequence < _window.First ? PublisherIgnored.AlreadyCovered
        : _window.Find(ack.Batch.Sequence) is not { DurableAt: not null } sent ? PublisherIgnored.NeverSent
        : sent.Batch.Digest != ack.Batch.Digest ? PublisherIgnored.OtherDigest
        : sent.Acked.Contains(ack.Witness) ? PublisherIgnored.RepeatedAck
        : null;

    private PublisherIgnored? WhyIgnored(VerifiedCertificate certificate) =>
        certificate.Batch.Stream != Header.Id ? PublisherIgnored.OtherStream
        : certificate.Batch.Sequence < _window.First ? PublisherIgnored.AlreadyCovered
        : null;

    /// <summary>It stands in a slot of ours where we signed something else, or nothing yet.</summary>
    private bool IsForgotten(BatchRef shown) =>
        shown.Stream == Header.Id && shown.Sequence >= _window.First && _window.Find(shown.Sequence)?.Batch.Digest != shown.Digest;

    private SentBatch Append(VerifiedBatch batch)
    {
        _ancestor = Ancestor.Previous(batch.Digest);
        return _window.Add(batch);
    }

    private void RaiseTip(WitnessIndex witness, Sequence tip)
    {
        _links[witness.Value].OnTip(tip, _now);
        _handOvers.OnTips(_links);
    }

    private void Send(SentBatch sent, WitnessLink link, PublisherEffects effects)
    {
        // A stream that ended with a lost journal would only help to prove that its own publisher is faulty.
        if (sent.IsOwedTo(link.Witness) && End is not JournalLost)
        {
            effects.Sends.Add(new BatchSend(link.Witness, sent.Batch));
        }
    }

    private void Resend(WitnessLink link, PublisherEffects effects)
    {
        if (!link.IsResendDue(_now))
        {
            return;
        }

        int before = effects.Sends.Count;
        foreach (SentBatch sent in _window.Batches)
        {
            // What was sent just now may still be on its way.
            if (sent.DurableAt + link.PatienceTicks <= _now)
            {
                Send(sent, link, effects);
            }
        }

        if (effects.Sends.Count > before)
        {
            link.OnResent(_now);
        }
    }

    private void HandOver(WitnessLink link, PublisherEffects effects)
    {
#if PLANTED
        if (Planted.Is("certificate-not-passed-on"))
        {
            return;
        }
#endif
        if (_handOvers.IsEmpty || !link.IsHandOverDue(_now) || End is JournalLost)
        {
            return;
        }

        int before = effects.HandOvers.Count;
        foreach (VerifiedCertificate certificate in _handOvers.DueTo(link, _now))
        {
            effects.HandOvers.Add(new CertificateHandOver(link.Witness, certificate));
        }

        if (effects.HandOvers.Count > before)
        {
            link.OnHandedOver(_now);
        }
    }

    private void Certify(PublisherEffects effects)
    {
        // From the top: where its acks reach low enough, one certificate covers the slots below too; where they leave a gap, those are tried in turn.
        for (int i = _window.Batches.Count - 1; i >= 0; i--)
        {
            SentBatch sent = _window.Batches[i];
            if (sent.Covering is null && sent.Acked.Count >= _committee.Size.Quorum && _acks.TryCertify(sent.Batch.Sequence) is { } certificate)
            {
                Mark(certificate, isFromJournal: false, effects);
            }
        }

        ReportCovered(effects);
    }

    private void Cover(VerifiedCertificate certificate, bool isFromJournal, PublisherEffects effects)
    {
        if (!Mark(certificate, isFromJournal, effects))
        {
            effects.Ignored.Add(PublisherIgnored.AlreadyCovered);
        }

        ReportCovered(effects);
    }

    private bool Mark(VerifiedCertificate certificate, bool isFromJournal, PublisherEffects effects)
    {
        if (!_window.TryCover(certificate))
        {
            return false;
        }

        if (!isFromJournal)
        {
            effects.Certificates.Add(certificate);
        }

        _handOvers.Add(certificate, _now);
        return true;
    }

    private void ReportCovered(PublisherEffects effects)
    {
        foreach (SentBatch sent in _window.TakeCovered())
        {
            effects.Covered.Add(new CoveredBatch(sent.Batch, sent.Covering!));
            _retiredCalls.OnCovered();
        }

        _acks.ForgetBelow(_window.First);
    }

    private void ReportRefusal(SentBatch sent, PublisherEffects effects)
    {
        if (!sent.IsRefusalReported && sent.RefusedBy.Count >= _committee.Size.OneCorrect)
        {
            sent.IsRefusalReported = true;
            RefusalReason reason = sent.RefusedBy.Values.CountBy(reason => reason).OrderByDescending(votes => votes.Value).ThenBy(votes => votes.Key).First().Key;
            effects.Refused.Add(new BatchRefused(sent.Batch.Sequence, reason));
        }
    }

    private void JudgeRetirement(PublisherEffects effects)
    {
        if (_retiredCalls.Verdict(_now) is { } verdict)
        {
            EndWith(verdict, effects);
        }
    }

    private void EndWith(PublisherEnd end, PublisherEffects effects)
    {
        // A lost journal is worse than a retired incarnation, and is said even after it.
        if (End is null || (End is NewIncarnationNeeded && end is JournalLost))
        {
            End = end;
            effects.End = end;
        }
    }
}
