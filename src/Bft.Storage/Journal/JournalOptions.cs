namespace Bft.Storage;

/// <summary>How a journal is created and laid out.</summary>
public sealed record JournalOptions
{
    /// <value>The id of the journal if the directory holds none yet; otherwise unused. Random bytes, not zero.</value>
    public required JournalId NewId { get; init; }

    /// <value>A segment that has this many bytes takes no further commit. Default 64 MiB, at least 4 KiB. The last commit may exceed it.</value>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <value>The last bytes written stay in the page cache, for those who read along or come back soon; what is further behind need not. Default 256 MiB, at least 0.</value>
    public long CachedBytes { get; init; } = 256L << 20;
}
