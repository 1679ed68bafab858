namespace Bft.Storage;

/// <summary>Takes a journal's records when it is opened, in the order in which they were appended.</summary>
public interface IJournalReplay
{
    /// <param name="mark">The commit that the record is part of.</param>
    /// <param name="kind">As appended.</param>
    /// <param name="head">As appended; valid during the call.</param>
    /// <param name="body">Where the body is read from once the journal is open.</param>
    /// <exception cref="CheckpointLostException">The checkpoint cannot be used, and nothing of it was taken.</exception>
    void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body);

    /// <summary>Everything is replayed: is a segment from before the checkpoint still read from? If not, it is deleted.</summary>
    /// <param name="segment">Its number.</param>
    /// <returns>Default: no.</returns>
    bool IsNeeded(long segment) => false;

    /// <summary>Whether all that a checkpoint says follows from the records before it, so that with both its copies lost everything can be replayed from the first commit on.</summary>
    /// <remarks>Each base of such a journal is a checkpoint: it never calls <see cref="Journal.DropSegmentsBefore"/>.</remarks>
    bool IsScannable => false;
}
