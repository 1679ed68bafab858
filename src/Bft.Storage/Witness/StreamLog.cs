using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Storage;

/// <summary>What is stored of one stream: covered, durable batches up to the stored tip, and certificates that cover them all (S1, W7).</summary>
/// <remarks>
/// <para>Three stretches (S2): below <see cref="FirstKept"/> nothing is left, below <see cref="Floor"/> statements and certificates, from there bodies too.</para>
/// <para>Any thread reads; the thread that owns the journal writes. A reader never sees a slot before its certificate. What it reads may be moved or
/// cut meanwhile: then it reads where it lies now, or learns that it is gone, and never gets other bytes.</para>
/// </remarks>
public sealed class StreamLog : IOfStream
{
    private static readonly ConcurrentDictionary<Sequence, Candidate> None = [];
    private volatile ConcurrentDictionary<Sequence, Candidate> _candidates = None; // bound: the stream's window, twice; an idle stream has no table
    private Queue<(VerifiedCertificate Certificate, StoredCertificate Stored, bool IsJump)>? _recorded; // bound: one group commit, or two; null when empty
    private readonly int _statementLength;
    private readonly BatchStore _store;
    private volatile StreamIndex _index = new(Sequence.Zero);
    private volatile StreamTip? _tip;
    private volatile VerifiedCertificate? _recordedTip; // null when it is the stored one
    private long _end;
    private long _floor;

    internal StreamLog(StreamHeader header, BatchStore store)
    {
        Header = header;
        _store = store;
        _statementLength = Signature.Length + BatchStatement.FixedLength + header.Topic.Length;
    }

    public StreamHeader Header { get; }

    /// <summary>One above the stored tip; 0 while nothing is stored.</summary>
    public Sequence End => new((ulong)Volatile.Read(ref _end));

    /// <summary>S2: the lowest slot whose body is kept; at most <see cref="End"/>.</summary>
    public Sequence Floor => new((ulong)Math.Min(Volatile.Read(ref _floor), Volatile.Read(ref _end)));

    /// <summary>S2: the lowest slot whose statement is kept; at most <see cref="Floor"/>.</summary>
    public Sequence FirstKept => _index.First;

    /// <summary>The highest batch whose certificate is recorded, durable or about to be. Not to be shown before <see cref="End"/> says so (W7).</summary>
    public BatchRef? RecordedTip => _recordedTip?.Batch ?? Tip;

    /// <summary>The stored tip; null while nothing is stored.</summary>
    public BatchRef? Tip => _tip is { } tip ? new BatchRef(Header.Id, tip.Sequence, tip.Digest) : null;

    /// <summary>The stored tip as it is kept in memory.</summary>
    internal StreamTip? TipInMemory => _tip;

    StreamId IOfStream.Id => Header.Id;

    /// <summary>S2: floor and first slot that are decided, and in the journal, durable or not. For the thread that owns the journal.</summary>
    internal (Sequence Floor, Sequence First) Planned { get; set; }

    /// <summary>Body bytes from the planned floor up. For the thread that owns the journal.</summary>
    internal long BodyBytes
    {
        get;
        set
        {
            if (Streams is { } topic)
            {
                topic.BodyBytes += value - field;
            }

            field = value;
        }
    }

    /// <summary>Its topic's; null while nothing of it is stored. For the thread that owns the journal.</summary>
    internal TopicStreams? Streams { get; private set; }

    /// <summary>The orders of its topic in which it stands. For the thread that owns the journal.</summary>
    internal byte Orders { get; set; }

    internal StreamIndex Index => _index;

    /// <summary>The slots from <paramref name="from"/> up to the next certificate that is kept; null when nothing is stored there yet, or nothing is left.</summary>
    public StoredRange? RangeFrom(Sequence from)
    {
        Sequence end = End; // before the index, which then has all below it
        StreamIndex index = _index;
        if (from >= end || from < index.First)
        {
            return null;
        }

        StoredCertificate certificate = index.Certificates[index.CertificateFor(from)];
        return new StoredRange(from, new Sequence(certificate.Top), certificate.Position);
    }

    /// <summary>R4: the certificate that proves a floor: the one of the slot before it where that is kept, else the tip's.</summary>
    /// <param name="floor"><see cref="Floor"/> or <see cref="FirstKept"/>; above 0.</param>
    /// <exception cref="StoreDamageException">The disk gave other bytes.</exception>
    public ReadOnlyMemory<byte> ReadFloorCertificate(Sequence floor) =>
        ProofOf(floor) is { } position ? ReadCertificate(new StoredRange(floor.Preceding, floor.Preceding, position)) : ReadTip(_tip!).Certificate.Bytes;

    /// <summary>The stored tip's certificate. False while nothing is stored; or when the disk gives other bytes, which is noted and repaired.</summary>
    public bool TryReadTip([NotNullWhen(true)] out VerifiedCertificate? certificate)
    {
        try
        {
            certificate = _tip is { } tip ? ReadTip(tip) : null;
        }
        catch (StoreDamageException)
        {
            certificate = null;
        }

        return certificate is not null;
    }

    /// <summary>W11: the stored tip's statement, if it is kept and can be read.</summary>
    public SignedStatement? TipStatement()
    {
        try
        {
            return _tip is { } tip && tip.Sequence >= FirstKept ? ReadStatement(tip.Sequence) : null;
        }
        catch (StoreDamageException)
        {
            return null;
        }
    }

    private VerifiedCertificate ReadTip(StreamTip tip)
    {
        if (tip.Certificate is { } recent)
        {
            return recent;
        }

        // It ends a range, and outlives it as the proof of the floor.
        Sequence end = tip.Sequence.Following;
        ReadOnlyMemory<byte> bytes = ProofOf(end) is { } position
            ? ReadCertificate(new StoredRange(tip.Sequence, tip.Sequence, position))
            : throw new StoreDamageException(Header.Id, new JournalRead(JournalReadStatus.Dropped));
        return Restored.Certificate(bytes.Span) ?? throw new InvalidOperationException($"The certificate of the stored tip {Tip} is none, though its checksum holds.");
    }

    private JournalPosition? ProofOf(Sequence floor)
    {
        StreamIndex index = _index;
        return index.Certificates[index.CertificateFor(floor.Preceding)] is var certificate && certificate.Top + 1 == floor.Value ? certificate.Position : null;
    }

    /// <summary>The bytes of a range's certificate.</summary>
    /// <exception cref="StoreDamageException">The disk gave other bytes.</exception>
    public ReadOnlyMemory<byte> ReadCertificate(StoredRange range)
    {
        byte[] bytes = new byte[range.Certificate.Length];
        Read(range.Certificate, () => ProofOf(range.To.Following), bytes, new DamagedPart(Header.Id, range.To, IsCertificate: true));
        return bytes;
    }

    /// <param name="sequence">From <see cref="FirstKept"/> to below <see cref="End"/>.</param>
    /// <exception cref="StoreDamageException">The disk gave other bytes, or the slot is cut.</exception>
    public SignedStatement ReadStatement(Sequence sequence)
    {
        byte[] bytes = new byte[_statementLength];
        JournalPosition? Place() => SlotAt(sequence)?.Statement(_statementLength);
        Read(Place(), Place, bytes, new DamagedPart(Header.Id, sequence));
        return new SignedStatement(bytes.AsMemory(Signature.Length), new Signature(bytes.AsSpan(0, Signature.Length)));
    }

    /// <param name="sequence">From <see cref="Floor"/> to below <see cref="End"/>.</param>
    public int BodyLength(Sequence sequence) => SlotAt(sequence)?.BodyLength ?? 0;

    /// <param name="sequence">From <see cref="Floor"/> to below <see cref="End"/>.</param>
    /// <param name="destination">Of the length that <see cref="BodyLength"/> gave.</param>
    /// <exception cref="StoreDamageException">The disk gave other bytes, or the body is cut.</exception>
    public void ReadBody(Sequence sequence, Span<byte> destination)
    {
        JournalPosition? Place() => sequence >= Floor ? SlotAt(sequence)?.Body(_statementLength) : null;
        Read(Place(), Place, destination, new DamagedPart(Header.Id, sequence));
    }

    /// <summary>What is recorded above the stored tip, by sequence, durable or about to be. For the thread that owns the journal.</summary>
    public IEnumerable<VerifiedStatement> RecordedAboveTip() => Candidates().Select(candidate => candidate.Statement);

    internal int StatementLength => _statementLength;

    /// <summary>What is recorded above the stored tip, by sequence; most streams have nothing there. For the thread that owns the journal.</summary>
    internal IEnumerable<Candidate> Candidates() => _candidates == None ? [] : AboveTip();

    private IEnumerable<Candidate> AboveTip()
    {
        foreach ((Sequence _, Candidate? first) in _candidates.OrderBy(pair => pair.Key))
        {
            for (Candidate? candidate = first; candidate is not null; candidate = candidate.Other)
            {
                yield return candidate;
            }
        }
    }

    /// <summary>W6: a batch that is recorded above the stored tip, once it is durable; null when there is none such.</summary>
    public (VerifiedStatement Statement, RecordedBody Body)? FindAboveTip(Sequence sequence, Digest digest)
    {
        _candidates.TryGetValue(sequence, out Candidate? candidate);
        while (candidate is not null && candidate.Statement.Digest != digest)
        {
            candidate = candidate.Other;
        }

        return candidate is not null && candidate.Slot.Body(_statementLength) is var position && _store.Journal?.IsDurable(position) == true
            ? (candidate.Statement, new RecordedBody(sequence, position))
            : null;
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
            if (sequence >= Floor && SlotAt(sequence) is { } slot)
            {
                found.Add(slot.Body(_statementLength));
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
    public bool TryRead(RecordedBody body, Span<byte> destination) => _store.Journal is { } journal && journal.Read(body.Position, destination).IsOk;

    /// <summary>Reads a part; notes it when it is damaged.</summary>
    internal void Check(DamagedPart part)
    {
        try
        {
            if (part.IsCertificate)
            {
                if (RangeFrom(part.Sequence) is { } range)
                {
                    ReadCertificate(range);
                }
            }
            else if (part.Sequence >= FirstKept)
            {
                ReadStatement(part.Sequence);
                if (part.Sequence >= Floor)
                {
                    ReadBody(part.Sequence, new byte[BodyLength(part.Sequence)]);
                }
            }
        }
        catch (StoreDamageException)
        {
            // Noted, or cut meanwhile.
        }
    }

    /// <summary>What is known of the batch in a stored slot, whether its own record can be read or not: by that, by the tip's certificate, or by the batch that follows.</summary>
    public Digest? KnownDigest(Sequence sequence)
    {
        if (Tip is { } tip && tip.Sequence == sequence)
        {
            return tip.Digest;
        }

        try
        {
            return sequence < FirstKept || sequence >= End ? null : Sha256.Hash(ReadStatement(sequence).Bytes.Span);
        }
        catch (StoreDamageException)
        {
        }

        try
        {
            return BatchStatement.TryParse(Header.Cluster, ReadStatement(sequence.Following).Bytes.Span, out BatchStatement? following, out _) ? following.Ancestor.Digest : null;
        }
        catch (StoreDamageException)
        {
            return null;
        }
    }

    /// <summary>The first slot for which this certificate, and no lower one, is kept.</summary>
    public Sequence CoveredFrom(Sequence top)
    {
        StreamIndex index = _index;
        long at = index.CertificateFor(top);
        return at == 0 ? index.First : new Sequence(Math.Max(index.First.Value, index.Certificates[at - 1].Top + 1));
    }

    /// <summary>A slot was damaged, and lies here now; what is cut stays so.</summary>
    internal void Mend(Sequence sequence, StoredSlot slot)
    {
        StreamIndex index = _index;
        if (sequence >= index.First && sequence < index.End)
        {
            index.Slots.Replace((long)(sequence.Value - index.First.Value), slot);
        }
    }

    /// <summary>A certificate was damaged, and this one covers its slots.</summary>
    internal void Mend(Sequence from, Sequence top, JournalPosition position)
    {
        StreamIndex index = _index;
        if (from >= index.First && top < index.End)
        {
            _index = index.Recertified(from, top.Value, position);
        }
    }

    internal void OnBatch(VerifiedStatement statement, Sequence? ackBase, StoredSlot slot)
    {
        _candidates = _candidates == None ? new ConcurrentDictionary<Sequence, Candidate>(concurrencyLevel: 1, capacity: 4) : _candidates;
        _candidates.TryGetValue(statement.Sequence, out Candidate? other);
        _candidates[statement.Sequence] = new Candidate(statement, ackBase, slot, other);
    }

    internal void OnCertificate(VerifiedCertificate certificate, JournalPosition position, long now, bool isJump = false)
    {
        _recorded ??= new();
        _recorded.Enqueue((certificate, new StoredCertificate(certificate.Batch.Sequence.Value, now, position), isJump));
        _recordedTip = certificate;
    }

    /// <summary>The stored tip rose: of the batches recorded, those that the certificate's chain names are the covered ones.</summary>
    internal void OnStoredTip(VerifiedCertificate certificate)
    {
        (VerifiedCertificate recorded, StoredCertificate stored, bool isJump) = _recorded!.Dequeue();
        _recorded = _recorded.Count == 0 ? null : _recorded;
        if (recorded.Batch != certificate.Batch)
        {
            throw new InvalidOperationException($"The tip {certificate.Batch} rose before the recorded {recorded.Batch}.");
        }

        if (isJump)
        {
            Jump(certificate, stored);
            return;
        }

        StreamIndex index = _index;
        Stack<StoredSlot> covered = new();
        Digest digest = certificate.Batch.Digest;
        bool isSigned = CandidateAt(certificate.Batch.Sequence, digest).Statement.IsSigned;
        for (Sequence sequence = certificate.Batch.Sequence; ; sequence = sequence.Preceding)
        {
            Candidate candidate = CandidateAt(sequence, digest);
            covered.Push(candidate.Slot);
            digest = candidate.Statement.Statement.Ancestor.Digest;
            _candidates.TryRemove(sequence, out _);
            if (sequence == index.End)
            {
                break;
            }
        }

        while (covered.TryPop(out StoredSlot slot))
        {
            index.Slots.Add(slot);
            BodyBytes += slot.BodyLength;
        }

        ForgetTableIfEmpty();
        index.Certificates.Add(stored);
        Raise(certificate, isSigned);
        Volatile.Write(ref _end, (long)index.End.Value);
    }

    /// <summary>Something of it is stored: from now on it is one of its topic's.</summary>
    internal void Join(TopicStreams topic)
    {
        topic.Add(this);
        topic.BodyBytes += BodyBytes;
        Streams = topic;
    }

    private void Raise(VerifiedCertificate certificate, bool isSigned)
    {
        _tip = new StreamTip(certificate.Batch.Sequence, certificate.Batch.Digest, isSigned, certificate);
        _recordedTip = _recordedTip == certificate ? null : _recordedTip;
    }

    private void ForgetTableIfEmpty() => _candidates = _candidates.IsEmpty ? None : _candidates;

    /// <summary>S3: bodies below the floor are not kept; at once, for what is stored next has none.</summary>
    internal void Skip(Sequence floor)
    {
        for (Sequence sequence = Planned.Floor; sequence < floor && sequence < _index.End; sequence = sequence.Following)
        {
            BodyBytes -= _index[sequence].BodyLength;
        }

        Planned = Planned with { Floor = floor > Planned.Floor ? floor : Planned.Floor };
        Volatile.Write(ref _floor, (long)Planned.Floor.Value);
    }

    /// <summary>S3: nothing is kept up to this certificate's batch.</summary>
    private void Jump(VerifiedCertificate certificate, StoredCertificate stored)
    {
        Sequence first = certificate.Batch.Sequence.Following;
        Skip(first);
        Planned = Planned with { First = first };
        foreach (Sequence below in _candidates.Keys.Where(sequence => sequence < first).ToArray())
        {
            _candidates.TryRemove(below, out _);
        }

        ForgetTableIfEmpty();

        StreamIndex index = new(first);
        index.Certificates.Add(stored);
        _index = index;
        Raise(certificate, isSigned: false);
        Volatile.Write(ref _end, (long)first.Value);
    }

    /// <summary>S2: what is planned is durable.</summary>
    internal void Cut(Sequence floor, Sequence first)
    {
        Volatile.Write(ref _floor, Math.Max((long)floor.Value, Volatile.Read(ref _floor)));
        if (first > FirstKept)
        {
            _index = _index.Rewritten(first, static (_, slot) => slot, static certificate => certificate);
        }
    }

    /// <summary>S2: a cut is replayed.</summary>
    internal void Replay(Sequence floor, Sequence first)
    {
        for (Sequence sequence = Planned.Floor; sequence < floor && sequence < _index.End; sequence = sequence.Following)
        {
            BodyBytes -= Index[sequence].BodyLength;
        }

        Planned = (floor, first);
        Cut(floor, first);
    }

    /// <summary>S2: a stream of a checkpoint is replayed: this is where everything lies.</summary>
    internal void Restore(StreamIndex index, Sequence floor, StreamTip? tip)
    {
        Planned = (floor, index.First);
        for (Sequence sequence = floor; sequence < index.End; sequence = sequence.Following)
        {
            BodyBytes += index[sequence].BodyLength;
        }

        Volatile.Write(ref _floor, (long)floor.Value);
        _index = index;
        _tip = tip;
        Volatile.Write(ref _end, (long)index.End.Value);
    }

    /// <summary>S2: what was moved lies elsewhere.</summary>
    internal void Move(StreamIndex index, IReadOnlyDictionary<Candidate, StoredSlot> candidates)
    {
        _index = index;
        if (candidates.Count > 0)
        {
            Candidate[] all = [.. Candidates()];
            _candidates = None;
            foreach (Candidate candidate in all.Reverse())
            {
                OnBatch(candidate.Statement, candidate.AckBase, candidates.GetValueOrDefault(candidate, candidate.Slot));
            }
        }
    }

    /// <summary>Reads what lies somewhere, for the thread that owns the journal.</summary>
    internal bool TryRead(JournalPosition position, out byte[] bytes)
    {
        bytes = new byte[position.Length];
        return ReaderOf(position, bytes).IsOk;
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

    private StoredSlot? SlotAt(Sequence sequence)
    {
        StreamIndex index = _index;
        return sequence >= index.First && sequence < index.End ? index[sequence] : null;
    }

    private JournalRead ReaderOf(JournalPosition position, Span<byte> destination) =>
        (_store.Journal ?? throw new InvalidOperationException("The journal is not open yet.")).Read(position, destination);

    /// <param name="position">Where it lay a moment ago; null when it was cut.</param>
    /// <param name="now">Where it lies now.</param>
    /// <param name="destination">As long as the position says.</param>
    /// <param name="part">What it is.</param>
    private void Read(JournalPosition? position, Func<JournalPosition?> now, Span<byte> destination, DamagedPart part)
    {
        JournalRead read = new(JournalReadStatus.Dropped);
        while (position is { } place && place.Length == destination.Length)
        {
            read = ReaderOf(place, destination);
            if (read.IsOk)
            {
                return;
            }

            // Moved while it was read? Then it is read again from there.
            position = now();
            if (position == place)
            {
                break;
            }
        }

        if (read.Status == JournalReadStatus.Damaged)
        {
            _store.Damages.Add(part);
        }

        throw new StoreDamageException(Header.Id, read);
    }

    /// <summary>A recorded batch above the stored tip; in one slot there may be the one that was acked and the one that is covered (W5).</summary>
    internal sealed record Candidate(VerifiedStatement Statement, Sequence? AckBase, StoredSlot Slot, Candidate? Other);
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

/// <summary>What is stored reads back wrong, or was cut meanwhile. It is not served; peers have it too.</summary>
public sealed class StoreDamageException(StreamId stream, JournalRead read)
    : Exception($"A record of stream {stream} cannot be read ({read.Status}): {read.File} at byte {read.Offset}: {read.Reason}")
{
    public JournalRead Reading { get; } = read;
}
