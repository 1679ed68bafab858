namespace Bft.Storage;

/// <summary>What a journal is after it was opened: everything in it is durable.</summary>
internal sealed record RecoveredJournal(
    JournalId Id, SortedList<long, ulong> Segments, long Segment, long End, ulong Mark, ulong BaseMark, uint Chain, bool WasTailCut = false);

/// <summary>Opens a journal after a stop of any kind (W9, the storage half). Changes nothing on the disk before all is judged and replayed.</summary>
/// <remarks>
/// <para>Block m proves every mark below m, so only the last block, the <em>tail</em>, is in doubt: it may come from the page cache alone. It is
/// copied to a new segment, with the same mark, and flushed. From then on it is <em>superseded</em> where it stood, and cut there.</para>
/// <para>So a segment holds the marks from its first to the one before the next segment's first. Whatever stands behind is left over from
/// a crash, and no loss; whatever is missing before is one.</para>
/// </remarks>
internal sealed class JournalRecovery(IDisk disk, SegmentWriter writer, IJournalReplay replay)
{
    private readonly List<long> _leftOver = [];
    private readonly SortedList<long, ulong> _segments = [];
    private JournalId? _id;
    private bool _wasTailCut;

    public RecoveredJournal Run(JournalId newId)
    {
        List<long> numbers = [];
        foreach (string name in disk.List())
        {
            if (SegmentName.TryParse(name, out long number))
            {
                numbers.Add(number);
            }
        }

        List<(long Segment, ulong First)> headed = FindHeaded(numbers);
        if (headed.Count == 0)
        {
            return Create(newId, numbers);
        }

        Tail tail = FindTail(headed);
        KeepFromBase(headed, tail.Header.BaseMark);
        List<(long Segment, long End)> ends = Replay(headed, tail);
        RecoveredJournal journal = Rewrite(tail, numbers[^1] + 1);
        Clean(ends);
        return journal;
    }

    /// <summary>Finds the segments whose first block is whole. Others hold nothing, or what was never durable.</summary>
    private List<(long Segment, ulong First)> FindHeaded(List<long> numbers)
    {
        List<(long Segment, ulong First)> headed = [];
        foreach (long number in numbers)
        {
            using IDiskFile file = disk.Open(SegmentName.Of(number));
            BlockCursor cursor = new(file, number);
            if (!cursor.TryAdvance())
            {
                ThrowIfDurableBlocksFollow(cursor);
                _leftOver.Add(number);
                continue;
            }

            _id ??= cursor.Header.Id;
            if (cursor.Header.Id != _id)
            {
                throw new JournalMismatchException(cursor.Name, "its journal id differs from that of the other files.");
            }

            headed.Add((number, cursor.Header.Mark));
        }

        return headed;
    }

    /// <summary>Finds the last block that is whole with its bodies, or is proven by a later one; drops headed segments behind it.</summary>
    private Tail FindTail(List<(long Segment, ulong First)> headed)
    {
        ulong proven = 0; // marks below it
        for (int i = headed.Count - 1; i >= 0; i--)
        {
            long segment = headed[i].Segment;
            using IDiskFile file = disk.Open(SegmentName.Of(segment));
            BlockCursor cursor = new(file, segment);
            Tail? before = null;
            Tail? last = null;
            while (cursor.TryAdvance())
            {
                before = last;
                last = new Tail(segment, cursor.Offset, cursor.Header);
            }

            ThrowIfDurableBlocksFollow(cursor);
            _wasTailCut |= file.Length > cursor.End;
            if (cursor.Header.Mark < proven || cursor.AreBodiesSound())
            {
                return last!;
            }

            _wasTailCut = true;
            if (before is not null)
            {
                return before;
            }

            proven = cursor.Header.Mark;
            headed.RemoveAt(i);
            _leftOver.Add(segment);
        }

        throw new JournalDamageException(SegmentName.Of(_leftOver[^1]), 0, "no commit is left.");
    }

    /// <summary>Removes superseded and dropped segments from the list, which then begins with the base mark and rises.</summary>
    private void KeepFromBase(List<(long Segment, ulong First)> headed, ulong baseMark)
    {
        ulong limit = ulong.MaxValue;
        for (int i = headed.Count - 1; i >= 0; i--)
        {
            if (limit == baseMark || headed[i].First >= limit)
            {
                _leftOver.Add(headed[i].Segment);
                headed.RemoveAt(i);
            }
            else
            {
                limit = headed[i].First;
            }
        }

        if (limit != baseMark)
        {
            throw new JournalDamageException(
                SegmentName.Of(headed[0].Segment), 0, $"it begins with commit {limit}, but the journal with commit {baseMark}: files are missing.");
        }
    }

    /// <summary>Replays everything before the tail, and the tail's block last, as lying where it will be rewritten.</summary>
    private List<(long Segment, long End)> Replay(List<(long Segment, ulong First)> headed, Tail tail)
    {
        List<(long Segment, long End)> ends = [];
        ulong expected = tail.Header.BaseMark;
        uint chain = 0;
        for (int i = 0; i < headed.Count; i++)
        {
            (long segment, ulong first) = headed[i];
            ulong limit = i + 1 < headed.Count ? headed[i + 1].First : tail.Header.Mark;
            using IDiskFile file = disk.Open(SegmentName.Of(segment));
            BlockCursor cursor = new(file, segment);
            long end = 0;
            bool isFirstOfAll = i == 0;
            while (expected < limit)
            {
                if (!cursor.TryAdvance() || cursor.Header.Mark != expected)
                {
                    throw new JournalDamageException(cursor.Name, cursor.End, $"commit {expected} is not there: {cursor.Fault}");
                }

                if (!isFirstOfAll && cursor.Header.Chain != chain)
                {
                    throw new JournalDamageException(cursor.Name, cursor.Offset, $"commit {expected} does not follow from the commit before.");
                }

                cursor.Replay(replay, segment, cursor.Offset);
                chain = cursor.Chain;
                end = cursor.Offset + cursor.Header.TotalBytes;
                isFirstOfAll = false;
                expected++;
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

        if (expected != tail.Header.Mark || (ends.Count > 0 && tail.Header.Chain != chain))
        {
            throw new JournalDamageException(SegmentName.Of(tail.Segment), tail.Offset, $"commit {tail.Header.Mark} does not follow from the commit before.");
        }

        return ends;
    }

    private RecoveredJournal Rewrite(Tail tail, long toSegment)
    {
        using IDiskFile file = disk.Open(SegmentName.Of(tail.Segment));
        BlockCursor cursor = new(file, tail.Segment);
        while (cursor.TryAdvance() && cursor.Header.Mark < tail.Header.Mark)
        {
        }

        byte[] header = new byte[BlockHeader.Bytes];
        uint chain = (tail.Header with { Segment = toSegment }).Write(header);
        writer.Write(toSegment, 0, cursor.ReadPieces(header));
        cursor.Replay(replay, toSegment, 0);
        _segments.Add(toSegment, tail.Header.Mark);
        return new RecoveredJournal(
            _id!.Value, _segments, toSegment, BlockHeader.Aligned(tail.Header.TotalBytes), tail.Header.Mark, tail.Header.BaseMark, chain, _wasTailCut);
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
        if (cursor.IsMisplaced)
        {
            throw new JournalDamageException(cursor.Name, cursor.End, cursor.Fault);
        }

        if (cursor.FindLaterHeader() is { } later)
        {
            throw new JournalDamageException(cursor.Name, cursor.End, $"{cursor.Fault} A later commit follows at byte {later}.");
        }
    }

    private sealed record Tail(long Segment, long Offset, BlockHeader Header);
}
