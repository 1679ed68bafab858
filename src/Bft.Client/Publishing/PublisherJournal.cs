using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Client;

/// <summary>A publisher's journal for one topic (P2): its incarnation, its batches, and the certificates it got. Owned by its driver.</summary>
/// <remarks>
/// Bounded: once a segment is full, the next one begins with the incarnation, the certificate up to which all is covered, and the batches that are not; when
/// those are durable, the segments before are dropped. A segment is full at 16 MiB, and not before it is twice as long as what would have to be written again.
/// </remarks>
internal sealed class PublisherJournal : IDisposable
{
    private const long DefaultSegmentBytes = 16L * 1024 * 1024;

    private readonly Journal _journal;
    private readonly long _segmentBytes;
    private List<SharedBody> _appended = [];
    private List<SharedBody> _sealed = [];
    private Slot? _lastAppended;
    private Slot? _lastSealed;
    private long _segmentAt; // of the journal's bytes; those of earlier runs count too
    private long? _snapshotSegment;
    private bool _isSnapshotSealed;

    private PublisherJournal(Journal journal, PublisherReplay found, long segmentBytes)
    {
        _journal = journal;
        _segmentBytes = segmentBytes;
        Found = found;
    }

    /// <summary>What it held when it was opened.</summary>
    public PublisherReplay Found { get; }

    /// <summary>Opens the journal on a disk, or creates it there.</summary>
    /// <param name="disk">Holds nothing else.</param>
    /// <param name="newId">For a journal that is created.</param>
    /// <param name="segmentBytes">When a segment is full.</param>
    /// <exception cref="JournalDamageException">What was durable is lost: the journal is not continued (P7).</exception>
    /// <exception cref="JournalMismatchException">A file of another journal.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static PublisherJournal Open(IDisk disk, JournalId newId, long segmentBytes = DefaultSegmentBytes)
    {
        PublisherReplay replay = new();
        PublisherJournal opened = new(Journal.Open(disk, new JournalOptions { NewId = newId, SegmentBytes = segmentBytes, CachedBytes = 0 }, replay), replay, segmentBytes);
        if (opened._journal.WasTailCut)
        {
            // P7: what was torn may have been durable once, and may have left. The next start must know too, though this one signs nothing.
            replay.OnTorn();
            opened.Abandon();
            opened.Flush();
        }

        return opened;
    }

    /// <summary>Reads a body that was found at start.</summary>
    public SharedBody? TryRead(JournalPosition position)
    {
        SharedBody body = SharedBody.Rent(position.Length);
        if (_journal.Read(position, body.Memory.Span).IsOk)
        {
            return body;
        }

        body.Dispose();
        return null;
    }

    public void Append(Incarnation incarnation)
    {
        Span<byte> head = stackalloc byte[Incarnation.Length];
        PublisherReplay.Write(incarnation, head);
        Append(PublisherReplay.IncarnationKind, head, default);
    }

    public void Append(VerifiedBatch batch)
    {
        byte[] head = new byte[Signature.Length + batch.Statement.Statement.Bytes.Length];
        batch.Statement.Signature.CopyTo(head);
        batch.Statement.Statement.Bytes.Span.CopyTo(head.AsSpan(Signature.Length));
        Append(PublisherReplay.BatchKind, head, batch.Body);
        _appended.Add(((SharedBody)batch.BodyOwner!).Share());
        _lastAppended = batch.Reference.Slot;
    }

    public void Append(VerifiedCertificate certificate) => Append(PublisherReplay.CertificateKind, certificate.Certificate.Bytes.Span, default);

    /// <summary>What is appended now belongs to no incarnation that is ever continued.</summary>
    public void Abandon() => Append(PublisherReplay.AbandonedKind, default, default);

    /// <summary>The next commit, to be performed on another thread; null when nothing waits for a flush, or one is under way.</summary>
    /// <param name="incarnation">Of the stream.</param>
    /// <param name="covered">Its batch and all before it are covered; null when none is.</param>
    /// <param name="uncovered">The batches after it that were appended.</param>
    public JournalCommit? Seal(Incarnation incarnation, VerifiedCertificate? covered, IEnumerable<VerifiedBatch> uncovered)
    {
        if ((_lastAppended is null && _snapshotSegment is null) || _journal.Seal() is not { } commit)
        {
            return null;
        }

        (_appended, _sealed) = (_sealed, _appended);
        (_lastSealed, _lastAppended) = (_lastAppended, null);
        _isSnapshotSealed = _snapshotSegment is not null;
        if (_snapshotSegment is null && _journal.BytesSinceCheckpoint - _segmentAt >= Math.Max(_segmentBytes, 2 * uncovered.Sum(batch => (long)batch.Body.Length)))
        {
            BeginSegment(incarnation, covered, uncovered);
        }

        return commit;
    }

    /// <summary>A commit was performed. Returns the slot of the last batch that became durable with it, if any did.</summary>
    public Slot? OnDurable(JournalCommit commit)
    {
        _journal.OnDurable(commit);
        Release(_sealed);
        if (_isSnapshotSealed)
        {
            _journal.DropSegmentsBefore(_snapshotSegment!.Value);
            _snapshotSegment = null;
            _isSnapshotSealed = false;
        }

        return _lastSealed;
    }

    /// <summary>A clean end, when no commit is under way: all that was appended becomes durable, and is proven so.</summary>
    /// <exception cref="DiskException">The disk refused.</exception>
    /// <exception cref="JournalPoisonedException">It refused before.</exception>
    public void Flush()
    {
        if (_journal.SealProof() is { } commit)
        {
            commit.Perform();
            _journal.OnDurable(commit);
        }
    }

    public void Dispose()
    {
        Release(_appended);
        Release(_sealed);
        _journal.Dispose();
    }

    private static void Release(List<SharedBody> bodies)
    {
        bodies.ForEach(body => body.Dispose());
        bodies.Clear();
    }

    private void Append(byte kind, ReadOnlySpan<byte> head, ReadOnlyMemory<byte> body) => _journal.Append(kind, head, body);

    private void BeginSegment(Incarnation incarnation, VerifiedCertificate? covered, IEnumerable<VerifiedBatch> uncovered)
    {
        _snapshotSegment = _journal.Roll();
        _segmentAt = _journal.BytesSinceCheckpoint;
        Append(incarnation);
        if (covered is not null)
        {
            Append(covered);
        }

        foreach (VerifiedBatch batch in uncovered)
        {
            Append(batch);
        }
    }
}
