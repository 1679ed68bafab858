namespace Bft.Storage;

/// <summary>One group commit: sealed, then performed on any thread or at any virtual time, then handed back to <see cref="Journal.OnDurable"/>.</summary>
public sealed class JournalCommit
{
    private readonly Journal _journal;
    private int _isTaken;

    internal JournalCommit(Journal journal, IReadOnlyList<PlacedBlock> blocks, ulong mark, IReadOnlyList<long> dropped)
    {
        _journal = journal;
        Blocks = blocks;
        Mark = mark;
        Dropped = dropped;
        Bytes = blocks.Sum(placed => placed.Block.TotalBytes);
    }

    /// <value>The number of this commit: one more than that of the commit before; two more for a checkpoint, whose copies have one each.</value>
    public ulong Mark { get; }

    /// <value>Bytes that it writes.</value>
    public long Bytes { get; }

    /// <value>What it writes, and flushes, one after the other: one block, or a checkpoint's two.</value>
    internal IReadOnlyList<PlacedBlock> Blocks { get; }

    /// <value>It holds no records but a checkpoint's.</value>
    public bool IsCheckpoint => Blocks.Count > 1;

    /// <value>Segments that this commit declares dropped, to be deleted once it is durable.</value>
    internal IReadOnlyList<long> Dropped { get; }

    internal bool IsPerformed { get; private set; }

    /// <summary>Writes the records and flushes them; durable when it returns. Once only.</summary>
    /// <exception cref="DiskException">The journal is poisoned from here on, and the records may be there or not.</exception>
    public void Perform()
    {
        if (Interlocked.Exchange(ref _isTaken, 1) != 0)
        {
            throw new InvalidOperationException("A commit is performed once: what a second flush says proves nothing.");
        }

        _journal.Perform(this);
        IsPerformed = true;
    }
}

/// <summary>A block, and where it is written.</summary>
internal readonly record struct PlacedBlock(BlockBuilder Block, long Segment, long Offset);
