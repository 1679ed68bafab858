namespace Bft.Storage;

/// <summary>Where a record's body lies, and the checksum that it must have. Valid until the journal is next opened, or the segment dropped.</summary>
/// <param name="Segment">The segment's number, from 1.</param>
/// <param name="Offset">Byte offset in the segment's file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Checksum">CRC-32C of the body.</param>
public readonly record struct JournalPosition(long Segment, long Offset, int Length, uint Checksum);
