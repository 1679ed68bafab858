using System.Buffers.Binary;
using Bft.Storage;

namespace Bft.Fuzz.Samples;

/// <summary>Journal files, by blocks: with checksums and chain put right, so that a change is read and not only refused.</summary>
internal static class Blocks
{
    private const int RecordsAt = 12;
    private const int BodyBytesAt = 56;
    private const int HeadBytesAt = 64;
    private const int ChainAt = 68;
    private const int TrailerChecksumAt = 72;
    private const int ChecksumAt = 76;

    public static byte[] Repaired(byte[] input)
    {
        byte[] file = [.. input];
        uint? chain = null;
        for (int at = 0; at >= 0 && at + BlockHeader.Bytes <= file.Length;)
        {
            Span<byte> block = file.AsSpan(at);
            int records = BinaryPrimitives.ReadInt32LittleEndian(block[RecordsAt..]);
            long bodyBytes = BinaryPrimitives.ReadInt64LittleEndian(block[BodyBytesAt..]);
            int headBytes = BinaryPrimitives.ReadInt32LittleEndian(block[HeadBytesAt..]);
            if (chain is { } before)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(block[ChainAt..], before);
            }

            bool fits = records is >= 0 and < 1 << 20 && headBytes >= 0 && bodyBytes >= 0 && bodyBytes < file.Length
                && BlockHeader.Bytes + bodyBytes + (records * BlockHeader.RowBytes) + (long)headBytes <= block.Length;
            if (fits)
            {
                RepairRows(block, records, (int)bodyBytes);
                Span<byte> trailer = block.Slice(BlockHeader.Bytes + (int)bodyBytes, (records * BlockHeader.RowBytes) + headBytes);
                BinaryPrimitives.WriteUInt32LittleEndian(block[TrailerChecksumAt..], Checksum.Of(trailer));
            }

            chain = Checksum.Of(block[..ChecksumAt]);
            BinaryPrimitives.WriteUInt32LittleEndian(block[ChecksumAt..], chain.Value);
            at = fits ? (int)BlockHeader.Aligned(at + BlockHeader.Bytes + bodyBytes + (records * BlockHeader.RowBytes) + headBytes) : -1;
        }

        return file;
    }

    private static void RepairRows(Span<byte> block, int records, int bodyBytes)
    {
        int body = BlockHeader.Bytes;
        for (int record = 0; record < records; record++)
        {
            Span<byte> row = block.Slice(BlockHeader.Bytes + bodyBytes + (record * BlockHeader.RowBytes), BlockHeader.RowBytes);
            int length = BinaryPrimitives.ReadInt32LittleEndian(row[5..]);
            if (length < 0 || length > BlockHeader.Bytes + bodyBytes - body)
            {
                return;
            }

            BinaryPrimitives.WriteUInt32LittleEndian(row[9..], Checksum.Of(block.Slice(body, length)));
            body += length;
        }
    }
}
