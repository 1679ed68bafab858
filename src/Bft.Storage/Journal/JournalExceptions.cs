namespace Bft.Storage;

/// <summary>What was durable reads back wrong: records are lost. Nothing on the disk was changed.</summary>
public sealed class JournalDamageException(string file, long offset, string reason)
    : Exception($"The journal file {file} is damaged at byte {offset}: {reason} Records that were durable are lost. Keep the directory for inspection; "
        + "go on with a copy only if it was made after the last stop, since an older one has forgotten promises that were sent.")
{
    /// <summary>A record that is sound by its checksum, and is not what its owner writes.</summary>
    /// <param name="at">Its body's place.</param>
    /// <param name="reason">A sentence.</param>
    public JournalDamageException(JournalPosition at, string reason)
        : this(SegmentName.Of(at.Segment), at.Offset, reason)
    {
    }

    public string File { get; } = file;

    public long Offset { get; } = offset;

    public string Reason { get; } = reason;
}

/// <summary>
/// Thrown by <see cref="IJournalReplay.OnRecord"/> before it took anything of a checkpoint: something that the checkpoint names is lost. The journal then replays all from its
/// first commit on, if it still has all; if not, that is damage.
/// </summary>
public sealed class CheckpointLostException(string file, long offset, string reason) : Exception(reason)
{
    public string File { get; } = file;

    public long Offset { get; } = offset;

    /// <summary>It is whole, and this program does not read it.</summary>
    public bool IsOtherVersion { get; init; }
}

/// <summary>A file is sound but not this journal's: another journal's id, or a format that this version does not read.</summary>
public sealed class JournalMismatchException(string file, string reason) : Exception($"The journal file {file} does not belong here: {reason}")
{
    public string File { get; } = file;
}

/// <summary>
/// A write or flush failed, so the journal takes nothing more. A second flush that succeeds proves nothing: the system marks pages that it
/// failed to write as clean. Start anew; opening rewrites what is in doubt.
/// </summary>
public sealed class JournalPoisonedException(Exception cause)
    : Exception($"The journal takes no more records, because a write failed earlier: {cause.Message}", cause);
