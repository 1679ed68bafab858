namespace Bft.Storage;

/// <summary>One group commit: sealed, then performed on any thread or at any virtual time, then handed back to <see cref="Journal.OnDurable"/>.</summary>
public sealed class JournalCommit
{
    private readonly Journal _journal;
    private int _isTaken;

    internal JournalCommit(Journal journal, BlockBuilder block, long segment, long offset, ulong mark)
    {
        _journal = journal;
        Block = block;
        Segment = segment;
        Offset = offset;
        Mark = mark;
        Bytes = block.TotalBytes;
    }

    /// <value>The number of this commit: one more than that of the commit before.</value>
    public ulong Mark { get; }

    /// <value>Bytes that it writes.</value>
    public long Bytes { get; }

    internal BlockBuilder Block { get; }

    internal long Segment { get; }

    internal long Offset { get; }

    /// <value>Segments that this commit declares dropped, to be deleted once it is durable.</value>
    internal long[] Dropped { get; init; } = [];

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
