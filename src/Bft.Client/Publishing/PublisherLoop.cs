using System.Security.Cryptography;
using System.Threading.Channels;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>One thing that happened to a publisher, for its role to decide about.</summary>
internal delegate void PublisherInput(PublisherRole role, PublisherEffects effects);

/// <summary>Owns a publisher's role: one task feeds it and does what it decides. Everything else talks to it through a bounded channel.</summary>
internal sealed class PublisherLoop
{
    private const int InputsMax = 1024;

    /// <summary>Largest commit that the loop performs itself when nothing waits. Unit: bytes.</summary>
    private const long OwnCommitBytesMax = 64 * 1024;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private readonly Committee _committee;
    private readonly Session _session;
    private readonly Topic _topic;
    private readonly PublisherOptions _options;
    private readonly BatchFiller _filler;
    private readonly PublisherJournal? _journal;
    private readonly Action<ClientNotice> _notify;
    private readonly Channel<PublisherInput> _inputs = Channel.CreateBounded<PublisherInput>(new BoundedChannelOptions(InputsMax) { SingleReader = true });
    private readonly PublisherEffects _effects = new();
    private readonly Queue<(VerifiedBatch Batch, PendingBatch Pending)> _inFlight = new();
    private readonly Queue<VerifiedCertificate> _recent = new();
    private readonly Predicate<int> _fits;
    private readonly PublisherInput _onWoken;
    private readonly AckVerifier _tipVerifier;
    private PublisherRole _role;
    private VerifiedCertificate? _covered;
    private CertifiedFrame? _linkTarget;
    private WitnessSet _notAdmitting;
    private (JournalCommit Commit, Task Done)? _flushing;
    private int _isWoken;
    private ulong _firstUncovered;

    public PublisherLoop(
        Committee committee, Session session, Topic topic, PublisherOptions options, BatchFiller filler, PublisherJournal? journal, PublisherReplay? replay, Action<ClientNotice> notify)
    {
        _committee = committee;
        _session = session;
        _topic = topic;
        _options = options;
        _filler = filler;
        _journal = journal;
        _notify = notify;
        _onWoken = (_, _) => Volatile.Write(ref _isWoken, 0);
        _fits = length => _role!.WhyMustWait(length) is null;
        _tipVerifier = new AckVerifier(committee, Ed25519.Instance, Protocol.NodeLimits.Default.RememberedRootsMax);
        _role = TryRestore(replay) ?? Begin(replay?.Highest ?? default, default, journal is null ? "No journal is kept." : "The journal holds nothing to go on with.");
        _firstUncovered = _role.FirstUncovered.Value;
    }

    /// <summary>One per witness, in the order of their index. Set before the loop runs.</summary>
    public IReadOnlyList<PublisherLink> Links { get; set; } = [];

    public StreamHeader Header => _role.Header;

    /// <summary>Whether a batch of the current stream is covered. On any thread; a moment late at worst.</summary>
    public bool IsCovered(Slot slot) => slot.Sequence.Value < Volatile.Read(ref _firstUncovered);

    /// <summary>Runs until cancelled, or the stream ends for good; then everything that is not certified fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Exception end = new PublisherClosedException(_topic);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task ticking = TickAsync(ended.Token);
        try
        {
            Perform();
            while (await _inputs.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                for (int i = 0; i < InputsMax && _inputs.Reader.TryRead(out PublisherInput? input); i++)
                {
                    input(_role, _effects);
                    Perform();
                }

                Fill();
                Seal();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        catch (Exception cause) when (cause is DiskException or JournalPoisonedException)
        {
            end = new PublisherJournalException(_topic, cause);
        }
        catch (Exception reason)
        {
            // Whoever waits for something, or sends, is told.
            end = reason;
        }
        finally
        {
            _inputs.Writer.TryComplete();
            _filler.Close(end);
            foreach ((VerifiedBatch batch, PendingBatch pending) in _inFlight)
            {
                pending.Fail(end);
                batch.BodyOwner?.Dispose();
            }

            await ended.CancelAsync().ConfigureAwait(false);
            await ticking.ConfigureAwait(false);
            await CloseJournalAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Waits while the loop has more to do than it may queue: that slows one witness's reader, and nobody else.</summary>
    public async ValueTask PostAsync(PublisherInput input, CancellationToken cancellationToken)
    {
        try
        {
            await _inputs.Writer.WriteAsync(input, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            // The publisher has ended: nothing matters any more.
        }
    }

    /// <summary>There is something to take from the filler.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) == 0 && !_inputs.Writer.TryWrite(_onWoken))
        {
            // The channel is full, so the loop is about to look anyway.
            Volatile.Write(ref _isWoken, 0);
        }
    }

    /// <summary>What a new session with a witness begins with; on the loop.</summary>
    public void OnConnected(PublisherLink link, PublisherRole role, PublisherEffects effects)
    {
        _notAdmitting = _notAdmitting.Without(link.Witness);
        if (_linkTarget is { } target)
        {
            link.Queue.Add(target);
        }

        role.OnConnected(link.Witness, effects);
    }

    /// <summary>A witness does not take this client at all; when f + 1 say so, a correct one does. On the loop.</summary>
    public void OnNotAdmitted(WitnessIndex witness)
    {
        _notAdmitting = _notAdmitting.With(witness);
        if (_notAdmitting.Count >= _committee.Size.OneCorrect)
        {
            throw new PublishRefusedException(RefusalReason.NotAllowed, _topic, "the witnesses do not know this key. Add it under clients in every witness's cluster.yaml.");
        }
    }

    private PublisherRole? TryRestore(PublisherReplay? replay)
    {
        if (replay?.Incarnation is not { } incarnation)
        {
            return null;
        }

        StreamHeader header = new(_committee.Cluster, _session.Client, _topic, incarnation);
        BatchVerifier batches = new(_committee.Cluster, _committee.Limits, Ed25519.Instance);
        if (replay.TryRestore(_journal!, header, batches, _tipVerifier) is not { } found)
        {
            return null;
        }

        PublisherRole role = NewRole(header, default);
        if (found.Covered is { } covered)
        {
            _covered = covered;
            _recent.Enqueue(covered);
            role.RestoreCertificate(covered, _effects);
        }

        foreach (VerifiedBatch batch in found.Uncovered)
        {
            role.RestoreBatch(batch);
            _inFlight.Enqueue((batch, new PendingBatch()));
        }

        role.Continue();
        _notify(new IncarnationOpened(_topic, incarnation, $"The journal goes on at batch {role.Next}."));
        return role;
    }

    /// <summary>A new incarnation, above every one that is known (P7).</summary>
    private PublisherRole Begin(Incarnation above, Ancestor link, string why)
    {
        ulong clock = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Incarnation incarnation = new(Math.Max(clock, above.Counter + 1), BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));
        _journal?.Append(incarnation);
        PublisherRole role = NewRole(new StreamHeader(_committee.Cluster, _session.Client, _topic, incarnation), link);
        role.Continue();
        _notify(new IncarnationOpened(_topic, incarnation, why));
        return role;
    }

    private PublisherRole NewRole(StreamHeader header, Ancestor link) => new(_committee, header, _session.Signer, Protocol.Publishing.PublisherOptions.Default, link);

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(Tick);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                await PostAsync(OnTick, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private void OnTick(PublisherRole role, PublisherEffects effects)
    {
        foreach (PublisherLink link in Links)
        {
            if (link.TakeTip() is { } tip)
            {
                OnTip(link.Witness, tip, role, effects);
            }
        }

        role.OnTick(effects);
    }

    /// <summary>A tip in what is known covered needs no signatures: what counts is that the witness shows it (P5). Others are a way to a certificate (W2).</summary>
    private void OnTip(WitnessIndex witness, QuorumCertificate tip, PublisherRole role, PublisherEffects effects)
    {
        if (tip.Batch.Stream != role.Header.Id)
        {
            return;
        }

        VerifiedCertificate? known = tip.Batch.Sequence < role.FirstUncovered ? _recent.LastOrDefault(recent => recent.Batch.Sequence <= tip.Batch.Sequence) : null;
        if (known is not null || (tip.Batch.Sequence >= role.FirstUncovered && _tipVerifier.TryVerify(tip, out known, out _)))
        {
            role.OnTip(witness, known, effects);
        }
    }

    /// <summary>Seals batches: at once while few are in flight, later ones when they are full (P4 is the end of it).</summary>
    private void Fill()
    {
        while (_role.End is null && _filler.TryTake(_inFlight.Count < _options.PipelineDepth, _fits, out FilledBatch filled))
        {
            SharedBody body = SharedBody.Rent(filled.Builder.BodyLength);
            BodyDescription description = filled.Builder.Build(body.Memory.Span);
            _filler.GiveBack(filled.Builder);
            VerifiedBatch batch = _role.Submit(description, body.Memory, body, _effects);
            _inFlight.Enqueue((batch, filled.Pending));
            Perform();
        }
    }

    private void Seal()
    {
        if (_flushing is not null || _journal?.Seal(Header.Incarnation, _covered, [.. _inFlight.Select(entry => entry.Batch)]) is not { } commit)
        {
            return;
        }

        // A small commit with nothing behind it gathers nothing: changing threads would cost more than its flush.
        if (commit.Bytes <= OwnCommitBytesMax && !_inputs.Reader.TryPeek(out _))
        {
            commit.Perform();
            OnCommitted(commit, failure: null, _role, _effects);
            Perform();
        }
        else
        {
            _flushing = Flush(commit);
        }
    }

    /// <summary>On another thread: batches fill while the disk works.</summary>
    private (JournalCommit Commit, Task Done) Flush(JournalCommit commit) => (commit, Task.Run(() => PerformAsync(commit)));

    private async Task PerformAsync(JournalCommit commit)
    {
        Exception? failure = null;
        try
        {
            commit.Perform();
        }
        catch (Exception cause) when (cause is DiskException or JournalPoisonedException)
        {
            failure = cause;
        }

        await PostAsync((role, effects) => OnCommitted(commit, failure, role, effects), CancellationToken.None).ConfigureAwait(false);
    }

    private async Task CloseJournalAsync()
    {
        try
        {
            if (_flushing is { } under)
            {
                await under.Done.ConfigureAwait(false);
                _journal!.OnDurable(under.Commit);
            }

            _journal?.Flush();
        }
        catch (Exception cause) when (cause is DiskException or JournalPoisonedException or InvalidOperationException)
        {
            // As after a crash: what left was durable before it left.
            _notify(new JournalTrouble(_topic, $"The journal could not be closed: {cause.Message}"));
        }
    }

    private void OnCommitted(JournalCommit commit, Exception? failure, PublisherRole role, PublisherEffects effects)
    {
        if (failure is not null)
        {
            throw new PublisherJournalException(_topic, failure);
        }

        _flushing = null;

        // A commit of an incarnation that was left in the meantime makes nothing of this one durable.
        if (_journal!.OnDurable(commit) is { } last && last < role.Next)
        {
            role.OnDurable(last, effects);
        }
    }

    private void Perform()
    {
        while (HasEffects())
        {
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
                BatchFrame frame = new(new SignedBatch(signed.Bytes, signed.Signature, send.Batch.Body, null));
                Links[send.To.Value].Queue.Add(frame, send.Batch.Reference.Slot, (SharedBody)send.Batch.BodyOwner!, IsCovered);
            }

            foreach (CertificateHandOver handOver in _effects.HandOvers)
            {
                Links[handOver.To.Value].Queue.Add(new CertifiedFrame(handOver.Certificate.Certificate.Bytes, []));
            }

            OnCovered([.. _effects.Covered]);
            BatchRefused? refused = _effects.Refused.Count > 0 ? _effects.Refused[0] : null;
            PublisherEnd? end = _effects.End;
            _effects.Clear();
            if (refused is { } why)
            {
                _journal?.Abandon();
                throw PublishRefusedException.Of(why.Reason, _topic);
            }

            if (end is not null)
            {
                OnEnd(end);
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
        Volatile.Write(ref _firstUncovered, _role.FirstUncovered.Value);
        for (int i = 0; i < covered.Length; i++)
        {
            (VerifiedBatch batch, VerifiedCertificate certificate) = covered[i];
            PendingBatch pending = _inFlight.Dequeue().Pending;

            // Slots are covered in order, so a certificate's own slot is covered with those below it.
            int count = (int)(certificate.Batch.Sequence.Value - batch.Sequence.Value) + 1;
            ArraySegment<VerifiedStatement> chain = new(statements, i, count);
            pending.Complete(new CertifiedBatch(batch, pending.IsBodyKept, certificate, chain, _committee.Limits));
            if (!pending.IsBodyKept)
            {
                batch.BodyOwner!.Dispose();
            }

            if (certificate != _covered)
            {
                _covered = certificate;
                _recent.Enqueue(certificate);
            }
        }

        while (_recent.Count > _committee.Limits.WindowSlots)
        {
            _recent.Dequeue();
        }
    }

    private void OnEnd(PublisherEnd end)
    {
        if (end is JournalLost lost)
        {
            _journal?.Abandon();
            throw new JournalLostException(_topic, lost);
        }

        // P6: what is not certified is published again in a new incarnation, which follows the last batch that is.
        StreamHeader old = _role.Header;
        Ancestor link = default;
        if (_covered is { } target)
        {
            link = Ancestor.Link(old.Incarnation, target.Batch.Sequence, target.Batch.Digest);
            _linkTarget = new CertifiedFrame(target.Certificate.Bytes, []);
        }

        _role = Begin(old.Incarnation, link, $"The witnesses say that the last one is {((NewIncarnationNeeded)end).Reason}.");
        _covered = null;
        _recent.Clear();
        Volatile.Write(ref _firstUncovered, 0);
        (VerifiedBatch Batch, PendingBatch Pending)[] again = [.. _inFlight];
        _inFlight.Clear();
        foreach ((VerifiedBatch batch, PendingBatch pending) in again)
        {
            VerifiedBatch repeated = _role.Submit(batch.Statement.Statement.Body, batch.Body, batch.BodyOwner, _effects);
            _inFlight.Enqueue((repeated, pending));
        }

        foreach (PublisherLink connected in Links.Where(connected => connected.IsConnected))
        {
            OnConnected(connected, _role, _effects);
        }
    }
}
