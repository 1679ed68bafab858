using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>Where a batch lies: signature ‖ statement, and right behind them the body. 20 bytes, one per slot for as long as the slot is kept.</summary>
/// <remarks>The first part's length is not here: it is the same in all slots of a stream, whose statements differ in numbers only.</remarks>
internal readonly record struct StoredSlot(int Segment, uint Offset, uint StatementChecksum, int BodyLength, uint BodyChecksum) : IIndexRow<StoredSlot>
{
    public static int Bytes => 20;

    public static StoredSlot At(JournalPosition statement, JournalPosition body) => body.Segment == statement.Segment && body.Offset == statement.Offset + statement.Length
        ? new StoredSlot(checked((int)statement.Segment), checked((uint)statement.Offset), statement.Checksum, body.Length, body.Checksum)
        : throw new InvalidOperationException("A body lies right behind its statement.");

    /// <summary>Without its body: nothing may read one there, and no length tells of one.</summary>
    public static StoredSlot At(JournalPosition statement) => new(checked((int)statement.Segment), checked((uint)statement.Offset), statement.Checksum, 0, 0);

    public JournalPosition Statement(int length) => new(Segment, Offset, length, StatementChecksum);

    public JournalPosition Body(int statementLength) => new(Segment, (long)Offset + statementLength, BodyLength, BodyChecksum);

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, Segment);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], StatementChecksum);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], BodyLength);
        BinaryPrimitives.WriteUInt32LittleEndian(to[16..], BodyChecksum);
    }

    /// <remarks>Of our own bytes, under a checksum; lengths below 0 are a defect and read as 0.</remarks>
    public static StoredSlot Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt32LittleEndian(from),
        BinaryPrimitives.ReadUInt32LittleEndian(from[4..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[8..]),
        Math.Max(0, BinaryPrimitives.ReadInt32LittleEndian(from[12..])),
        BinaryPrimitives.ReadUInt32LittleEndian(from[16..]));
}

/// <summary>A certificate that is kept, when it was stored, and where its bytes lie.</summary>
/// <param name="Top">The slot of its batch.</param>
/// <param name="StoredAt">By the journal's steady clock. Unit: milliseconds.</param>
/// <param name="Segment">Where its bytes lie; as in a <see cref="JournalPosition"/>, but smaller.</param>
/// <param name="Offset">In the segment.</param>
/// <param name="Length">Unit: bytes.</param>
/// <param name="Checksum">Of the bytes.</param>
internal readonly record struct StoredCertificate(ulong Top, long StoredAt, uint Segment, uint Offset, int Length, uint Checksum) : IIndexRow<StoredCertificate>
{
    public StoredCertificate(ulong top, long storedAt, JournalPosition position)
        : this(top, storedAt, checked((uint)position.Segment), checked((uint)position.Offset), position.Length, position.Checksum)
    {
    }

    public static int Bytes => 32;

    public JournalPosition Position => new(Segment, Offset, Length, Checksum);

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, Top);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], StoredAt);
        BinaryPrimitives.WriteUInt32LittleEndian(to[16..], Segment);
        BinaryPrimitives.WriteUInt32LittleEndian(to[20..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], Checksum);
    }

    /// <inheritdoc cref="StoredSlot.Read"/>
    public static StoredCertificate Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(from),
        BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[20..]),
        Math.Max(0, BinaryPrimitives.ReadInt32LittleEndian(from[24..])),
        BinaryPrimitives.ReadUInt32LittleEndian(from[28..]));
}
