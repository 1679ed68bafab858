using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Storage;

/// <summary>What is stored of one stream: covered, durable batches from slot 0 to the stored tip, and certificates that cover them all (S1, W7).</summary>
/// <remarks>Any thread reads; the thread that owns the journal writes. A reader never sees a slot before its certificate.</remarks>
public sealed class StreamLog
{
    private readonly AppendList<StoredSlot> _slots = new();
    private readonly AppendList<StoredCertificate> _certificates = new();
    private readonly Dictionary<Sequence, Candidate> _candidates = []; // bound: the stream's window, twice
    private readonly Queue<(VerifiedCertificate Certificate, JournalPosition Position)> _recorded = new(); // bound: one group commit, or two
    private readonly int _statementLength;
    private Journal? _journal;
    private volatile VerifiedCertificate? _tip;
    private volatile VerifiedCertificate? _recordedTip;
    private long _end;

    internal StreamLog(StreamHeader header)
    {
        Header = header;
        _statementLength = Signature.Length + BatchStatement.FixedLength + header.Topic.Length;
    }

    public StreamHeader Header { get; }

    /// <summary>One above the stored tip; 0 while nothing is stored.</summary>
    public Sequence End => new((ulong)Volatile.Read(ref _end));

    /// <summary>The highest batch whose certificate is recorded, durable or about to be. Not to be shown before <see cref="End"/> says so (W7).</summary>
    public BatchRef? RecordedTip => _recordedTip?.Batch;

    /// <summary>The stored tip's certificate; null while nothing is stored.</summary>
    public VerifiedCertificate? Tip => _tip;

    /// <summary>The slots from <paramref name="from"/> up to the next certificate that is kept; null when nothing is stored there yet.</summary>
    public StoredRange? RangeFrom(Sequence from)
    {
        if (from >= End)
        {
            return null;
        }

        // The lowest certificate at or above the slot: it covers all down to the one before it.
        long low = 0;
        long high = _certificates.Count - 1;
        while (low < high)
        {
            long middle = (low + high) / 2;
            (low, high) = _certificates[middle].Top < from.Value ? (middle + 1, high) : (low, middle);
        }

        StoredCertificate certificate = _certificates[low];
        return new StoredRange(from, new Sequence(certificate.Top), certificate.Position);
    }

    /// <summary>The bytes of a range's certificate.</summary>
    /// <exception cref="StoreDamageException">The disk gave other bytes.</exception>
    public ReadOnlyMemory<byte> ReadCertificate(StoredRange range)
    {
        byte[] bytes = new byte[range.Certificate.Length];
        Read(range.Certificate, bytes);
        return bytes;
    }

    /// <param name="sequence">Below <see cref="End"/>.</param>
    /// <exception cref="StoreDamageException">The disk gave other bytes.</exception>
    public SignedStatement ReadStatement(Sequence sequence)
    {
        byte[] bytes = new byte[_statementLength];
        Read(_slots[(long)sequence.Value].Statement(_statementLength), bytes);
        return new SignedStatement(bytes.AsMemory(Signature.Length), new Signature(bytes.AsSpan(0, Signature.Length)));
    }

    /// <param name="sequence">Below <see cref="End"/>.</param>
    public int BodyLength(Sequence sequence) => _slots[(long)sequence.Value].BodyLength;

    /// <param name="sequence">Below <see cref="End"/>.</param>
    /// <param name="destination">Of the length that <see cref="BodyLength"/> gave.</param>
    /// <exception cref="StoreDamageException">The disk gave other bytes.</exception>
    public void ReadBody(Sequence sequence, Span<byte> destination) => Read(_slots[(long)sequence.Value].Body(_statementLength), destination);

    /// <summary>What is recorded above the stored tip, by sequence, durable or about to be. For the thread that owns the journal.</summary>
    public IEnumerable<VerifiedStatement> RecordedAboveTip()
    {
        foreach ((Sequence _, Candidate? first) in _candidates.OrderBy(pair => pair.Key))
        {
            for (Candidate? candidate = first; candidate is not null; candidate = candidate.Other)
            {
                yield return candidate.Statement;
            }
        }
    }

    /// <summary>Where bodies lie, certified or not, in the order of their slots. For the thread that owns the journal.</summary>
    /// <param name="from">The first slot.</param>
    /// <param name="to">The last one.</param>
    /// <param name="bytesMax">No more than this, unless it is one. Unit: bytes.</param>
    public IEnumerable<RecordedBody> RecordedBodies(Sequence from, Sequence to, long bytesMax)
    {
        for (Sequence sequence = from; sequence <= to; sequence = sequence.Following)
        {
            List<JournalPosition> found = [];
            if (sequence < End)
            {
                found.Add(_slots[(long)sequence.Value].Body(_statementLength));
            }

            for (Candidate? candidate = _candidates.GetValueOrDefault(sequence); candidate is not null; candidate = candidate.Other)
            {
                found.Add(candidate.Slot.Body(_statementLength));
            }

            if (found.Count == 0)
            {
                yield break;
            }

            foreach (JournalPosition position in found)
            {
                yield return new RecordedBody(sequence, position);
                bytesMax -= position.Length;
            }

            if (bytesMax <= 0)
            {
                yield break;
            }
        }
    }

    /// <summary>Reads a body that is durable by now; false when the disk gives other bytes.</summary>
    public bool TryRead(RecordedBody body, Span<byte> destination) => _journal is not null && _journal.Read(body.Position, destination).IsOk;

    internal void Attach(Journal journal) => _journal = journal;

    internal void OnBatch(VerifiedStatement statement, JournalPosition statementAt, JournalPosition bodyAt)
    {
        _candidates.TryGetValue(statement.Sequence, out Candidate? other);
        _candidates[statement.Sequence] = new Candidate(statement, StoredSlot.At(statementAt, bodyAt), other);
    }

    internal void OnCertificate(VerifiedCertificate certificate, JournalPosition position)
    {
        _recorded.Enqueue((certificate, position));
        _recordedTip = certificate;
    }

    /// <summary>The stored tip rose: of the batches recorded, those that the certificate's chain names are the covered ones.</summary>
    internal void OnStoredTip(VerifiedCertificate certificate)
    {
        (VerifiedCertificate recorded, JournalPosition position) = _recorded.Dequeue();
        if (recorded.Batch != certificate.Batch)
        {
            throw new InvalidOperationException($"The tip {certificate.Batch} rose before the recorded {recorded.Batch}.");
        }

        Stack<StoredSlot> covered = new();
        Digest digest = certificate.Batch.Digest;
        for (Sequence sequence = certificate.Batch.Sequence; ; sequence = sequence.Preceding)
        {
            Candidate candidate = CandidateAt(sequence, digest);
            covered.Push(candidate.Slot);
            digest = candidate.Statement.Statement.Ancestor.Digest;
            _candidates.Remove(sequence);
            if (sequence.Value == (ulong)_slots.Count)
            {
                break;
            }
        }

        while (covered.TryPop(out StoredSlot slot))
        {
            _slots.Add(slot);
        }

        _certificates.Add(new StoredCertificate(certificate.Batch.Sequence.Value, position));
        _tip = certificate;
        Volatile.Write(ref _end, _slots.Count);
    }

    private Candidate CandidateAt(Sequence sequence, Digest digest)
    {
        _candidates.TryGetValue(sequence, out Candidate? candidate);
        while (candidate is not null && candidate.Statement.Digest != digest)
        {
            candidate = candidate.Other;
        }

        return candidate ?? throw new InvalidOperationException($"The covered batch {digest} of slot {sequence} was not recorded.");
    }

    private void Read(JournalPosition position, Span<byte> destination)
    {
        JournalRead read = (_journal ?? throw new InvalidOperationException("The journal is not open yet.")).Read(position, destination);
        if (!read.IsOk)
        {
            throw new StoreDamageException(Header.Id, read);
        }
    }

    /// <summary>A recorded batch above the stored tip; in one slot there may be the one that was acked and the one that is covered (W5).</summary>
    private sealed record Candidate(VerifiedStatement Statement, StoredSlot Slot, Candidate? Other);
}

/// <summary>A body in the journal.</summary>
public readonly record struct RecordedBody(Sequence Sequence, JournalPosition Position)
{
    public int Length => Position.Length;
}

/// <summary>Consecutive stored slots with the certificate that covers them.</summary>
/// <param name="From">The first slot asked for.</param>
/// <param name="To">The certificate's own slot.</param>
/// <param name="Certificate">Where its bytes lie.</param>
public readonly record struct StoredRange(Sequence From, Sequence To, JournalPosition Certificate);

/// <summary>What is stored reads back wrong. It is not served; peers have it too.</summary>
public sealed class StoreDamageException(StreamId stream, JournalRead read)
    : Exception($"A record of stream {stream} cannot be read ({read.Status}): {read.File} at byte {read.Offset}: {read.Reason}")
{
    public JournalRead Reading { get; } = read;
}
