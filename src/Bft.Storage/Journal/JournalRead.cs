namespace Bft.Storage;

public enum JournalReadStatus
{
    /// <summary>The bytes are those that were appended.</summary>
    Ok,

    /// <summary>The disk gave other bytes, too few, or none. The destination's content means nothing.</summary>
    Damaged,

    /// <summary>The segment was given up by <see cref="Journal.DropSegmentsBefore"/>.</summary>
    Dropped,
}

/// <summary>What became of a read. Never garbage: a body is either what was appended or not there.</summary>
/// <param name="Status">The default is <see cref="JournalReadStatus.Ok"/>.</param>
/// <param name="File">The damaged file's name, else null.</param>
/// <param name="Offset">Where in it the body begins.</param>
/// <param name="Reason">What is wrong, for an operator, else null.</param>
public readonly record struct JournalRead(JournalReadStatus Status, string? File = null, long Offset = 0, string? Reason = null)
{
    public bool IsOk => Status == JournalReadStatus.Ok;
}
