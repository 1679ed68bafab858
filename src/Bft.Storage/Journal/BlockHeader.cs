using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>The fixed start of a block. A block is one commit: header ‖ bodies ‖ table ‖ heads; the next one begins on the next page.</summary>
/// <remarks>
/// Bodies come before the table, so that a body's place is known when it is appended. The table has a row per record: kind, head length, body
/// length, body checksum. The chain value of a block is its header's checksum, which covers the trailer's, which covers the bodies'.
/// In every version of the format, size and place of magic, version, id and header checksum stay: so a future version is told from damage.
/// <para>No proven mark is stored: a commit is written only after the one before is durable, so block m itself proves every mark below m.</para>
/// </remarks>
internal readonly record struct BlockHeader(
    JournalId Id, long Segment, ulong Mark, ulong BaseMark, uint Chain, int Records, long BodyBytes, int HeadBytes, uint TrailerChecksum)
{
    public const int Bytes = 80;
    public const int RowBytes = 13;

    /// <summary>Blocks begin at multiples of it, so that no write touches a page, or a disk's physical sector, that holds an earlier block.</summary>
    public const int Alignment = 4096;

    public const uint Version = 1;
    private const ulong Magic = 0x4c4e524a_5446_4201; // 01 "BFTJRNL"
    private const int ChecksummedBytes = Bytes - sizeof(uint);

    public int TrailerBytes => (Records * RowBytes) + HeadBytes;

    public long TotalBytes => Bytes + BodyBytes + TrailerBytes;

    public static long Aligned(long offset) => (offset + Alignment - 1) & -Alignment;

    /// <returns>The header's checksum, which the next block carries as <see cref="Chain"/>.</returns>
    public uint Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], Records);
        BinaryPrimitives.WriteUInt128LittleEndian(to[16..], Id.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], Segment);
        BinaryPrimitives.WriteUInt64LittleEndian(to[40..], Mark);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], BaseMark);
        BinaryPrimitives.WriteInt64LittleEndian(to[56..], BodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(to[64..], HeadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(to[68..], Chain);
        BinaryPrimitives.WriteUInt32LittleEndian(to[72..], TrailerChecksum);
        uint checksum = Checksum.Of(to[..ChecksummedBytes]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[ChecksummedBytes..], checksum);
        return checksum;
    }

    /// <returns>Null for bytes that are no header, or a damaged one.</returns>
    /// <exception cref="JournalMismatchException">A sound header of another format version.</exception>
    public static BlockHeader? Parse(ReadOnlySpan<byte> from, string file, out uint checksum)
    {
        checksum = 0;
        if (from.Length < Bytes || BinaryPrimitives.ReadUInt64LittleEndian(from) != Magic)
        {
            return null;
        }

        checksum = BinaryPrimitives.ReadUInt32LittleEndian(from[ChecksummedBytes..]);
        if (checksum != Checksum.Of(from[..ChecksummedBytes]))
        {
            return null;
        }

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(from[8..]);
        if (version != Version)
        {
            throw new JournalMismatchException(file, $"it has format version {version}, this program reads version {Version}.");
        }

        BlockHeader header = new(
            Id: new JournalId(BinaryPrimitives.ReadUInt128LittleEndian(from[16..])),
            Segment: BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
            Mark: BinaryPrimitives.ReadUInt64LittleEndian(from[40..]),
            BaseMark: BinaryPrimitives.ReadUInt64LittleEndian(from[48..]),
            Chain: BinaryPrimitives.ReadUInt32LittleEndian(from[68..]),
            Records: BinaryPrimitives.ReadInt32LittleEndian(from[12..]),
            BodyBytes: BinaryPrimitives.ReadInt64LittleEndian(from[56..]),
            HeadBytes: BinaryPrimitives.ReadInt32LittleEndian(from[64..]),
            TrailerChecksum: BinaryPrimitives.ReadUInt32LittleEndian(from[72..]));
        bool isPossible = header.Mark <= long.MaxValue && header.Records >= 0 && header.HeadBytes >= 0 && header.BodyBytes >= 0
            && ((long)header.Records * RowBytes) + header.HeadBytes <= BlockBuilder.TrailerBytesMax;
        return isPossible ? header : null;
    }
}
