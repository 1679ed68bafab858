namespace Bft.Storage;

/// <summary>What a journal is after it was opened: everything in it is durable.</summary>
internal sealed record RecoveredJournal(
    JournalId Id, SortedList<long, ulong> Segments, long Segment, long End, ulong Mark, ulong BaseMark, uint Chain, bool WasTailCut = false)
{
    /// <value>Lower segments that are still read from.</value>
    public IReadOnlyList<long> Archive { get; init; } = [];

    /// <value>The last commit is half of a checkpoint, and stands alone in its segment.</value>
    public bool IsTailTwin { get; init; }

    /// <value>One half of the checkpoint is missing, or was rewritten and is not next to the other.</value>
    public bool IsTwinMissing { get; init; }

    /// <value>Segments that hold a copy of a checkpoint.</value>
    public IReadOnlyCollection<long> CheckpointSegments { get; init; } = [];

    /// <value>No copy of the checkpoint was of use, and everything was replayed.</value>
    public bool WasScanned { get; init; }

    public long CheckpointBytes { get; init; }

    public long BytesSinceCheckpoint { get; init; }
}

/// <summary>Opens a journal after a stop of any kind (W9, the storage half). Changes nothing on the disk before all is judged and replayed.</summary>
/// <remarks>
/// <para>Block m proves every mark below m, so only the last block, the <em>tail</em>, is in doubt: it may come from the page cache alone. It is
/// copied to a new segment, with the same mark, and flushed. From then on it is <em>superseded</em> where it stood, and cut there.</para>
/// <para>So a segment holds the marks from its first to the one before the next segment's first. Whatever stands behind is left over from
/// a crash, and no loss; whatever is missing before is one.</para>
/// </remarks>
/// <param name="disk">The directory.</param>
/// <param name="writer">For the tail.</param>
/// <param name="replay">Takes the records.</param>
/// <param name="isScan">Everything is replayed from the first commit on; checkpoints are passed over.</param>
internal sealed class JournalRecovery(IDisk disk, SegmentWriter writer, IJournalReplay replay, bool isScan = false)
{
    private readonly BlockCursor.Buffers _buffers = new(); // one cursor after the other
    private readonly List<long> _leftOver = [];
    private readonly SortedList<long, ulong> _segments = [];
    private JournalId? _id;
    private int _lowest; // place of the lowest segment looked at
    private TwinMarker? _firstTwin;
    private bool _isTwinMissing;
    private bool _isTailRepeated;
    private bool _wasTailCut;
    private readonly SortedSet<long> _checkpoints = [];
    private long _checkpointBytes;
    private long _replayedBytes; // without the checkpoint

    /// <summary>Opens it from its checkpoint; when both copies are lost, by a scan of all that there is.</summary>
    public static RecoveredJournal Run(IDisk disk, SegmentWriter writer, IJournalReplay replay, JournalId newId)
    {
        try
        {
            return new JournalRecovery(disk, writer, replay).Run(newId);
        }
        catch (CheckpointLostException lost) when (replay.IsScannable)
        {
            try
            {
                return new JournalRecovery(disk, writer, replay, isScan: true).Run(newId);
            }
            catch (JournalDamageException) when (lost.IsOtherVersion)
            {
                throw new JournalMismatchException(
                    lost.File, $"{lost.Message} Everything would be replayed instead, but retention has given up some of it. Start it once more with the version that wrote it, or leave it to that.");
            }
            catch (JournalDamageException other)
            {
                throw new JournalDamageException(lost.File, lost.Offset, $"{lost.Message} Nor can everything be replayed instead: byte {other.Offset} of {other.File}: {other.Reason}");
            }
        }
        catch (CheckpointLostException lost)
        {
            throw new JournalDamageException(lost.File, lost.Offset, lost.Message);
        }
    }

    private RecoveredJournal Run(JournalId newId)
    {
        List<long> numbers = [];
        foreach (string name in disk.List())
        {
            if (SegmentName.TryParse(name, out long number))
            {
                numbers.Add(number);
            }
        }

        List<(long Segment, ulong First, ulong Base)> headed = [];
        if (FindTail(numbers, headed) is not { } tail)
        {
            return Create(newId, numbers);
        }

        int kept = HeadDownToBase(numbers, headed, tail);
        List<(long Segment, long End)> ends = Replay(headed, tail);
        RecoveredJournal journal = Rewrite(tail, numbers[^1] + 1);
        ILookup<bool, long> archive = numbers.Take(kept).ToLookup(replay.IsNeeded);
        _leftOver.AddRange(archive[false]);
        Clean(ends);
        return journal with { Archive = [.. archive[true]] };
    }

    /// <summary>Finds a segment's first block; null when that is not whole: then the segment holds nothing, or what was never durable.</summary>
    private BlockCursor? Head(IDiskFile file, long number)
    {
        BlockCursor cursor = new(file, number, _buffers);
        if (!cursor.TryAdvance())
        {
            ThrowIfDurableBlocksFollow(cursor);
            _leftOver.Add(number);
            return null;
        }

        _id ??= cursor.Header.Id;
        return cursor.Header.Id == _id ? cursor : throw new JournalMismatchException(cursor.Name, "its journal id differs from that of the other files.");
    }

    /// <summary>Finds the last block that is whole with its bodies, or is proven by a later one, and heads its segment; headed segments behind it are left over.</summary>
    private Tail? FindTail(List<long> numbers, List<(long Segment, ulong First, ulong Base)> headed)
    {
        ulong proven = 0; // marks below it
        for (_lowest = numbers.Count - 1; _lowest >= 0; _lowest--)
        {
            long segment = numbers[_lowest];
            using IDiskFile file = disk.Open(SegmentName.Of(segment));
            if (Head(file, segment) is not { } cursor)
            {
                _wasTailCut |= file.Length > 0;
                continue;
            }

            ulong first = cursor.Header.Mark;
            _firstTwin = cursor.Twin;
            Tail? before = null;
            Tail? last = null;
            do
            {
                (before, last) = (last, new Tail(segment, cursor.Offset, cursor.Header, cursor.Twin));
            }
            while (cursor.TryAdvance());

            ThrowIfDurableBlocksFollow(cursor);
            _wasTailCut |= file.Length > cursor.End;
            bool isSound = cursor.Header.Mark < proven || cursor.AreBodiesSound();
#if PLANTED
            isSound |= Crypto.Planted.Is("skip-bad-record");
#endif
            _wasTailCut |= !isSound;
            if (isSound || before is not null)
            {
                headed.Add((segment, first, cursor.Header.BaseMark));
                return isSound ? last : before;
            }

            proven = cursor.Header.Mark;
            _leftOver.Add(segment);
        }

        return proven == 0 ? null : throw new JournalDamageException(SegmentName.Of(_leftOver[^1]), 0, "no commit is left.");
    }

    /// <summary>Heads the segments from the tail's down to the one where replay begins; superseded ones are left over. Returns how many lie below: they are not even opened.</summary>
    private int HeadDownToBase(List<long> numbers, List<(long Segment, ulong First, ulong Base)> headed, Tail tail)
    {
        ulong baseMark = isScan ? 0 : tail.Header.BaseMark;
        ulong limit = headed[0].First;
        TwinMarker? twin = _firstTwin;
        while (limit != baseMark)
        {
            // One half of a checkpoint bears the loss of the other (S2), and says where that lay: what is lower is no part of the journal's records.
            bool isSecondHalf = !isScan && limit == baseMark + 1 && twin is { IsSecond: true };
            long end = isSecondHalf ? twin!.Value.FirstSegment : 0;
            if (limit < baseMark || _lowest == 0 || numbers[_lowest - 1] < end)
            {
                string file = SegmentName.Of(headed[0].Segment);
                string reason = $"it begins with commit {limit}, but the journal with commit {baseMark}: files are missing, or nothing in them can be read.";
                return isSecondHalf ? _lowest
                    : baseMark > 0 ? throw new CheckpointLostException(file, 0, reason) : throw new JournalDamageException(file, 0, reason);
            }

            long segment = numbers[--_lowest];
            using IDiskFile opened = disk.Open(SegmentName.Of(segment));
            if (Head(opened, segment) is not { } cursor)
            {
                continue;
            }

            if (cursor.Header.Mark >= limit)
            {
                _leftOver.Add(segment);
                continue;
            }

            (limit, twin) = (cursor.Header.Mark, cursor.Twin);
            headed.Insert(0, (segment, limit, cursor.Header.BaseMark));
        }

        return _lowest;
    }

    /// <summary>Replays everything before the tail, and the tail's block last, as lying where it will be rewritten.</summary>
    private List<(long Segment, long End)> Replay(List<(long Segment, ulong First, ulong Base)> headed, Tail tail)
    {
        List<(long Segment, long End)> ends = [];
        ulong expected = headed[0].First; // one above the base when the checkpoint's first half is lost
        _isTwinMissing = isScan || expected > tail.Header.BaseMark;
        uint? chain = null; // null: nothing to follow from
        bool isFirstHalf = false;
        for (int i = 0; i < headed.Count; i++)
        {
            (long segment, ulong first, ulong @base) = headed[i];
            if (isFirstHalf && first == expected + 1)
            {
                // The checkpoint's second half is lost, and said the same as the first (S2).
                (expected, chain, isFirstHalf, _isTwinMissing) = (first, null, false, true);
            }

            if (isScan && expected >= @base && expected < first && first <= @base + 2)
            {
                // Nothing lacks but the checkpoint before this segment, or a half of it, which says what the commits before say.
                (expected, chain) = (first, null);
            }

            ulong limit = i + 1 == headed.Count ? tail.Header.Mark
                : headed[i + 1].Base > first ? Math.Min(headed[i + 1].Base, headed[i + 1].First) : headed[i + 1].First;
            using IDiskFile file = disk.Open(SegmentName.Of(segment));
            BlockCursor cursor = new(file, segment, _buffers);
            long end = 0;
            while (expected < limit)
            {
                if (!cursor.TryAdvance() || cursor.Header.Mark != expected)
                {
                    throw new JournalDamageException(cursor.Name, cursor.End, $"commit {expected} is not there: {cursor.Fault}");
                }

                if (chain is { } before && cursor.Header.Chain != before)
                {
                    throw new JournalDamageException(cursor.Name, cursor.Offset, $"commit {expected} does not follow from the commit before.");
                }

                // The checkpoint's second half says the same again.
                if (!(isFirstHalf && cursor.Twin is { IsSecond: true }) && !(isScan && cursor.Twin is not null))
                {
                    cursor.Replay(replay, segment, cursor.Offset);
                }

                Count(cursor, segment);
                isFirstHalf = cursor.Twin is { IsSecond: false };
                chain = cursor.Chain;
                end = cursor.Offset + cursor.Header.TotalBytes;
                expected++;
                if (isFirstHalf)
                {
                    break; // it stands alone in its segment
                }
            }

            if (end > 0)
            {
                _segments.Add(segment, first);
                ends.Add((segment, end));
            }
            else
            {
                _leftOver.Add(segment);
            }
        }

        _isTailRepeated = (isFirstHalf && tail.Twin is { IsSecond: true }) || (isScan && tail.Twin is not null);
        if (expected != tail.Header.Mark || (chain is { } last && tail.Header.Chain != last))
        {
            throw new JournalDamageException(SegmentName.Of(tail.Segment), tail.Offset, $"commit {tail.Header.Mark} does not follow from the commit before.");
        }

        return ends;
    }

    private RecoveredJournal Rewrite(Tail tail, long toSegment)
    {
        using IDiskFile file = disk.Open(SegmentName.Of(tail.Segment));
        BlockCursor cursor = new(file, tail.Segment, _buffers);
        while (cursor.TryAdvance() && cursor.Header.Mark < tail.Header.Mark)
        {
        }

        byte[] header = new byte[BlockHeader.Bytes];
        uint chain = (tail.Header with { Segment = toSegment }).Write(header);
        writer.Write(toSegment, 0, cursor.ReadPieces(header));
        if (!_isTailRepeated)
        {
            cursor.Replay(replay, toSegment, 0);
        }

        Count(cursor, toSegment);

        _segments.Add(toSegment, tail.Header.Mark);
        return new RecoveredJournal(
            _id!.Value, _segments, toSegment, BlockHeader.Aligned(tail.Header.TotalBytes), tail.Header.Mark, tail.Header.BaseMark, chain, _wasTailCut)
        {
            IsTailTwin = tail.Twin is not null,
            IsTwinMissing = _isTwinMissing || tail.Twin is not null,
            CheckpointSegments = _checkpoints,
            WasScanned = isScan,
            CheckpointBytes = _checkpointBytes,
            BytesSinceCheckpoint = _replayedBytes,
        };
    }

    private void Count(BlockCursor cursor, long segment)
    {
        if (cursor.Twin is null)
        {
            _replayedBytes += BlockHeader.Aligned(cursor.Header.TotalBytes);
        }
        else
        {
            _checkpointBytes = cursor.Header.TotalBytes;
            _checkpoints.Add(segment);
        }
    }

    /// <summary>Removes what is left over, and what each segment reserved or held behind its last commit.</summary>
    private void Clean(List<(long Segment, long End)> ends)
    {
        foreach ((long segment, long end) in ends)
        {
            using IDiskFile file = disk.Open(SegmentName.Of(segment));
            bool wasWrittenLast = segment == ends[^1].Segment; // and may have space reserved behind its length
            if (wasWrittenLast || file.Length > end)
            {
                file.Truncate(end);
                file.Flush();
            }
        }

        foreach (long segment in _leftOver)
        {
            disk.Delete(SegmentName.Of(segment));
        }

        disk.FlushDirectory();
    }

    /// <summary>Makes a new journal: a commit without records, so that the id and the format version are on the disk.</summary>
    private RecoveredJournal Create(JournalId id, List<long> numbers)
    {
        // A crash while a journal is created leaves the first segment without a block. Nothing else does.
        if (numbers is not ([] or [1]))
        {
            throw new JournalDamageException(SegmentName.Of(numbers[^1]), 0, "no file begins with a commit.");
        }

        Clean([]);
        BlockBuilder genesis = new();
        uint chain = genesis.Seal(id, segment: 1, mark: 0, baseMark: 0, chain: 0);
        writer.Write(1, 0, genesis.Pieces);
        return new RecoveredJournal(id, new SortedList<long, ulong> { [1] = 0 }, 1, BlockHeader.Alignment, 0, 0, chain);
    }

    private static void ThrowIfDurableBlocksFollow(BlockCursor cursor)
    {
#if PLANTED
        if (Crypto.Planted.Is("skip-bad-record"))
        {
            return;
        }
#endif
        if (cursor.IsMisplaced)
        {
            throw new JournalDamageException(cursor.Name, cursor.End, cursor.Fault);
        }

        if (cursor.FindLaterHeader() is { } later)
        {
            throw new JournalDamageException(cursor.Name, cursor.End, $"{cursor.Fault} A later commit follows at byte {later}.");
        }
    }

    private sealed record Tail(long Segment, long Offset, BlockHeader Header, TwinMarker? Twin);
}
