using System.Buffers;
using System.Collections.Immutable;

namespace Bft.Storage;

/// <summary>An append-only sequence of records that survives crashes, made durable in group commits.</summary>
/// <remarks>
/// <para>Life of a record: <see cref="Append(byte, ReadOnlySpan{byte}, ReadOnlyMemory{byte})"/> → <see cref="Seal"/> →
/// <see cref="JournalCommit.Perform"/> → <see cref="OnDurable"/>. No message that reveals a record leaves before the last step (W1, P2).</para>
/// <para>One thread owns the journal and calls everything, except <see cref="JournalCommit.Perform"/>, which any thread may call, and
/// <see cref="Read(JournalPosition, Span{byte})"/>, which any number of threads may call at any time. It starts no thread itself.</para>
/// <para>A disk that refuses a write or flush poisons the journal (<see cref="JournalPoisonedException"/>); reading goes on.</para>
/// </remarks>
public sealed class Journal : IDisposable
{
    private readonly IDisk _disk;
    private readonly JournalId _id;
    private readonly long _segmentBytes;
    private readonly SegmentWriter _writer;
    private readonly SegmentReaders _readers;
    private readonly SortedList<long, ulong> _segments; // number → mark of its first block; one entry per 64 MiB of disk

    private BlockBuilder _pending = new();
    private BlockBuilder? _spare = new();
    private JournalCommit? _outstanding;
    private long _segment;
    private long _offset;
    private ulong _lastMark;
    private ulong _baseMark;
    private uint _chain;
    private bool _isPlaced;
    private bool _isRolling;
    private bool _isProofWanted;
    private long _firstSegment;
    private readonly SortedSet<long> _checkpoints; // bound: the archive, and two
    private List<long> _dropped = []; // given up, and deleted by the next commit
    private volatile ImmutableSortedSet<long> _archive; // kept for reading only: from before the checkpoint
    private volatile DurableEnd _durable;
    private volatile Exception? _poison;

    internal Journal(IDisk disk, long segmentBytes, SegmentWriter writer, RecoveredJournal found)
    {
        _disk = disk;
        _id = found.Id;
        _segmentBytes = segmentBytes;
        _writer = writer;
        _readers = new SegmentReaders(disk);
        _segments = found.Segments;
        _firstSegment = found.Segments.GetKeyAtIndex(0);
        _archive = [.. found.Archive];
        _isRolling = found.IsTailTwin;
        IsTwinMissing = found.IsTwinMissing;
        _checkpoints = [.. found.CheckpointSegments];
        WasScanned = found.WasScanned;
        CheckpointBytes = found.CheckpointBytes;
        BytesSinceCheckpoint = found.BytesSinceCheckpoint;
        _segment = found.Segment;
        _offset = found.End;
        _lastMark = found.Mark;
        _baseMark = found.BaseMark;
        _chain = found.Chain;
        _durable = new DurableEnd(_segment, _offset);
        DurableMark = found.Mark;
        WasTailCut = found.WasTailCut;
    }

    /// <value>All records of commits up to this one are durable, whatever happens.</value>
    public ulong DurableMark { get; private set; }

    /// <value>What the next commit would write; 0 if nothing waits. The host bounds it by sealing, or by taking no more input.</value>
    public long PendingBytes => _isPlaced ? _pending.TotalBytes : 0;

    /// <value>Opening found a block that a crash had torn, and cut it: nothing in it was durable.</value>
    public bool WasTailCut { get; }

    /// <value>Opening found no copy of the checkpoint of use, and replayed everything from the first commit on.</value>
    public bool WasScanned { get; }

    /// <value>True after a failed write: stop, say so, exit.</value>
    public bool IsPoisoned => _poison is not null;

    /// <value>The segments that hold commits (sealed ones included), oldest first: number, and mark of the first commit in it.</value>
    public IReadOnlyList<(long Segment, ulong FirstMark)> Segments => [.. _segments.Select(pair => (pair.Key, pair.Value))];

    /// <value>Segments from before the last checkpoint that are kept for their bodies, lowest first. Damage there is no lost memory.</value>
    public IReadOnlyCollection<long> Archive => _archive;

    /// <value>One of the two copies of the checkpoint could not be read, was never written, or lies elsewhere since the start rewrote it: make another soon.</value>
    public bool IsTwinMissing { get; private set; }

    /// <value>Segments that are known to hold nothing but a copy of a checkpoint, the last one's included.</value>
    public IReadOnlyCollection<long> CheckpointSegments => _checkpoints;

    /// <value>One copy of the last checkpoint, about. Unit: bytes.</value>
    public long CheckpointBytes { get; private set; }

    /// <value>What a start replays beside the checkpoint, about. Unit: bytes.</value>
    public long BytesSinceCheckpoint { get; private set; }

    /// <value>The number that the next commit will have.</value>
    public ulong NextMark => _lastMark + 1;

    /// <value>All that was appended is durable.</value>
    public bool IsQuiet => _outstanding is null && !_isPlaced && !IsPoisoned;

    /// <value>The segment that commits go to; all below are complete.</value>
    public long CurrentSegment => _segment;

    /// <summary>Opens the journal of a directory, or creates it there, and replays its records.</summary>
    /// <remarks>
    /// W9: a torn tail that was never durable is cut; what is not proven to be durable is rewritten to a new segment and flushed, with its
    /// directory, before this returns. All records replayed are durable then.
    /// </remarks>
    /// <exception cref="JournalDamageException">Records that were durable are lost; those before the damage have been replayed, or none has.</exception>
    /// <exception cref="JournalMismatchException">A file of another journal, or of another format version.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static Journal Open(IDisk disk, JournalOptions options, IJournalReplay replay)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(replay);
        ArgumentOutOfRangeException.ThrowIfEqual(options.NewId, default, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SegmentBytes, BlockHeader.Alignment, nameof(options));

        SegmentWriter writer = new(disk, options.SegmentBytes, options.CachedBytes);
        try
        {
            RecoveredJournal found = JournalRecovery.Run(disk, writer, replay, options.NewId);
            return new Journal(disk, options.SegmentBytes, writer, found);
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Adds a record to the next commit.</summary>
    /// <param name="kind">What the record is; free to choose.</param>
    /// <param name="head">Copied, replayed at start. Keep it small.</param>
    /// <param name="body">Not copied: it stays unchanged until the commit is durable. Read on demand, never replayed.</param>
    /// <returns>Where the body will lie; readable once durable.</returns>
    public JournalPosition Append(byte kind, ReadOnlySpan<byte> head, ReadOnlyMemory<byte> body = default) =>
        Append(kind, head, new ReadOnlySequence<byte>(body));

    /// <inheritdoc cref="Append(byte, ReadOnlySpan{byte}, ReadOnlyMemory{byte})"/>
    public JournalPosition Append(byte kind, ReadOnlySpan<byte> head, ReadOnlySequence<byte> body)
    {
        ThrowIfPoisoned();
        Place();
        long offset = _offset + BlockHeader.Bytes + _pending.BodyBytes;
        uint checksum = _pending.Add(kind, head, body);
        return new JournalPosition(_segment, offset, (int)body.Length, checksum);
    }

    /// <summary>Adds records to the next commit.</summary>
    internal void Append(RecordRun run)
    {
        ThrowIfPoisoned();
        Place();
        _pending.Add(run);
    }

    /// <summary>Makes the next commit of all that was appended since the last.</summary>
    /// <returns>Null if nothing waits, or if the last commit is not yet durable (one at a time: so each proves the one before).</returns>
    public JournalCommit? Seal()
    {
        ThrowIfPoisoned();
        if (_outstanding is not null || !(_isPlaced || _isProofWanted))
        {
            return null;
        }

        Place();
        if (_offset == 0)
        {
            _segments.Add(_segment, _lastMark + 1);
        }

        BlockBuilder block = _pending;
        _lastMark++;
        _chain = block.Seal(_id, _segment, _lastMark, _baseMark, _chain);
        _outstanding = new JournalCommit(this, [new PlacedBlock(block, _segment, _offset)], _lastMark, TakeDropped());
        BytesSinceCheckpoint += BlockHeader.Aligned(_outstanding.Bytes);
        _pending = _spare!;
        _spare = null;
        _offset = BlockHeader.Aligned(_offset + block.TotalBytes);
        _isPlaced = false;
        _isProofWanted = false;
        return _outstanding;
    }

    /// <summary>Like <see cref="Seal"/>, but makes an empty commit if nothing waits: for a clean stop, or idleness.</summary>
    /// <remarks>It proves that the last records were durable: damage to them later is then told from a write that a crash tore.</remarks>
    public JournalCommit? SealProof()
    {
        _isProofWanted = true;
        return Seal();
    }

    /// <summary>The commit has been performed: its records are durable.</summary>
    /// <exception cref="JournalPoisonedException">It failed.</exception>
    public void OnDurable(JournalCommit commit)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ThrowIfPoisoned();
        if (commit != _outstanding || !commit.IsPerformed)
        {
            throw new InvalidOperationException("Only the commit sealed last is accepted, and only after it was performed.");
        }

        DurableMark = commit.Mark;
        // Not the write offset: a record of the next commit may have begun a new segment already.
        PlacedBlock last = commit.Blocks[^1];
        _durable = new DurableEnd(last.Segment, last.Offset + last.Block.TotalBytes);
        _outstanding = null;
        if (commit.IsCheckpoint)
        {
            Supersede(commit.Blocks[0].Segment);
        }
        else
        {
            last.Block.Clear();
            _spare = last.Block;
        }
    }

    /// <summary>Lets the next record begin a new segment, for instance a snapshot after which older segments are dropped.</summary>
    /// <returns>The number of that segment.</returns>
    /// <exception cref="InvalidOperationException">Records wait: seal them first.</exception>
    public long Roll()
    {
        if (_isPlaced)
        {
            throw new InvalidOperationException("Records wait in the segment that is being left: seal them first.");
        }

        _isRolling = true;
        return _segment + 1;
    }

    /// <summary>Gives up all segments before one that is durable (for owners that write no <see cref="SealCheckpoint"/>). They are deleted once a commit that says so is durable; seal one.</summary>
    /// <exception cref="ArgumentException">No such segment, or nothing in it is durable yet.</exception>
    public void DropSegmentsBefore(long segment)
    {
        if (!_segments.TryGetValue(segment, out ulong first) || first > DurableMark)
        {
            throw new ArgumentException($"Segment {segment} has no durable commit.", nameof(segment));
        }

        if (first > _baseMark)
        {
            _baseMark = first;
            _isProofWanted = true;
            Volatile.Write(ref _firstSegment, segment);
        }
    }

    /// <summary>Makes a commit of a checkpoint, which lies on the disk twice, each time in a segment of its own. Once it is durable replay begins there, and bears the loss of one of the two.</summary>
    /// <remarks>Older segments become <see cref="Archive"/> then: read from, replayed no more.</remarks>
    /// <param name="append">Appends the records; called twice, with the same outcome. Positions in the second copy are those in the first, one segment higher.</param>
    /// <exception cref="InvalidOperationException">Records wait, or a commit is not durable yet.</exception>
    public JournalCommit SealCheckpoint(Action<Journal> append)
    {
        ArgumentNullException.ThrowIfNull(append);
        ThrowIfPoisoned();
        if (!IsQuiet)
        {
            throw new InvalidOperationException("Records wait: make them durable first.");
        }

        BlockBuilder gathering = _pending;
        PlacedBlock[] copies = new PlacedBlock[2];
        long first = Roll();
        _baseMark = NextMark;
        for (int copy = 0; copy < copies.Length; copy++)
        {
            Roll();
            _pending = new BlockBuilder(); // the usual two serve the commits before and after
            Append(TwinMarker.Kind, new TwinMarker(copy == 1, first).ToHead());
            append(this);
            _lastMark++;
            _segments.Add(_segment, _lastMark);
            _chain = _pending.Seal(_id, _segment, _lastMark, _baseMark, _chain);
            copies[copy] = new PlacedBlock(_pending, _segment, _offset);
            _checkpoints.Add(_segment);
            _isPlaced = false;
        }

        // Records go on in a segment of their own: what damages a copy damages nothing else.
        Roll();
        _pending = gathering;
        _isProofWanted = false;
        CheckpointBytes = copies[0].Block.TotalBytes;
        BytesSinceCheckpoint = 0;
        return _outstanding = new JournalCommit(this, copies, _lastMark, TakeDropped());
    }

    /// <summary>Gives up segments of the <see cref="Archive"/>, to which nothing that is durable may refer. The next commit deletes them once it is durable.</summary>
    public void DropArchived(IEnumerable<long> segments)
    {
        ArgumentNullException.ThrowIfNull(segments);
        ThrowIfPoisoned();
        long[] dropped = [.. segments.Where(_archive.Contains)];
        _archive = _archive.Except(dropped);
        _dropped.AddRange(dropped);
        _checkpoints.ExceptWith(dropped);
    }

    /// <summary>The segment that the last durable commit went to: nothing is written to lower ones. On any thread.</summary>
    internal long DurableSegment => _durable.Segment;

    /// <summary>The segment is not given up. On any thread.</summary>
    internal bool Holds(long segment) => !IsDropped(segment);

    /// <summary>The record is durable, and so may be read. On any thread.</summary>
    public bool IsDurable(JournalPosition position) => _durable.Holds(position);

    /// <summary>Reads a body. On any thread.</summary>
    /// <param name="position">Of a durable record.</param>
    /// <param name="destination">Exactly as long as the body.</param>
    public JournalRead Read(JournalPosition position, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, position.Length, nameof(destination));
        if (!_durable.Holds(position))
        {
            throw new InvalidOperationException("The record is not durable yet.");
        }

        if (IsDropped(position.Segment))
        {
            return new JournalRead(JournalReadStatus.Dropped);
        }

        string? reason = null;
        try
        {
            int got = _readers.Read(position.Segment, position.Offset, destination);
            reason = got < destination.Length ? $"the file ends after {got} of {destination.Length} bytes."
                : Checksum.Of(destination) != position.Checksum ? "the checksum differs." : null;
        }
        catch (DiskException refused) when (IsDropped(position.Segment))
        {
            return new JournalRead(JournalReadStatus.Dropped, Reason: refused.Message);
        }
        catch (DiskException refused)
        {
            reason = refused.Message;
        }

        return reason is null ? default
            : new JournalRead(JournalReadStatus.Damaged, SegmentName.Of(position.Segment), position.Offset, reason);
    }

    /// <summary>Reads a body, and advances the writer only if the result is ok. On any thread.</summary>
    public JournalRead Read(JournalPosition position, IBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (position.Length == 0)
        {
            return Read(position, Span<byte>.Empty);
        }

        JournalRead read = Read(position, writer.GetSpan(position.Length)[..position.Length]);
        if (read.IsOk)
        {
            writer.Advance(position.Length);
        }

        return read;
    }

    /// <summary>Closes the files. What is not durable is lost, as in a crash.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _readers.Dispose();
    }

    internal void Perform(JournalCommit commit)
    {
        ThrowIfPoisoned();
        try
        {
            foreach (PlacedBlock placed in commit.Blocks)
            {
                _writer.Write(placed.Segment, placed.Offset, placed.Block.Pieces);
            }

            foreach (long segment in commit.Dropped)
            {
                // No flush of the directory: a name that comes back is deleted when the journal is opened.
                _disk.Delete(SegmentName.Of(segment));
                _readers.Close(segment);
            }
        }
        catch (Exception cause)
        {
            _poison = cause;
            throw;
        }
    }

    /// <summary>Decides where the next block lies, so that bodies have a place when they are appended.</summary>
    private void Place()
    {
        if (!_isPlaced && (_isRolling || _offset >= _segmentBytes))
        {
            _segment++;
            _offset = 0;
            _isRolling = false;
        }

        _isPlaced = true;
    }

    private bool IsDropped(long segment) => segment < Volatile.Read(ref _firstSegment) && !_archive.Contains(segment);

    /// <summary>A checkpoint is durable: segments before it are not replayed any more.</summary>
    private void Supersede(long first)
    {
        IsTwinMissing = false;
        long[] before = [.. _segments.Keys.TakeWhile(segment => segment < first)];
        _archive = _archive.Union(before);
        Volatile.Write(ref _firstSegment, first);
        foreach (long segment in before)
        {
            _segments.Remove(segment);
        }
    }

    private List<long> TakeDropped()
    {
        List<long> dropped = _dropped;
        _dropped = [];
        foreach (long segment in _segments.Keys.TakeWhile(segment => segment < _firstSegment).ToArray())
        {
            _segments.Remove(segment);
            dropped.Add(segment);
        }

        return dropped;
    }

    private void ThrowIfPoisoned()
    {
        if (_poison is { } cause)
        {
            throw new JournalPoisonedException(cause);
        }
    }

    private sealed record DurableEnd(long Segment, long Offset)
    {
        public bool Holds(JournalPosition position) => position.Segment < Segment
            || (position.Segment == Segment && position.Offset + position.Length <= Offset);
    }
}
