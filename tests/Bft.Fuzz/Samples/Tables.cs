using System.Buffers.Binary;

namespace Bft.Fuzz.Samples;

/// <summary>Bodies written without the code under test.</summary>
internal static class Tables
{
    private const int EntryLength = 12 + 8 + 2 + 2;

    /// <summary>As many chunks of one byte as there are messages, each with a subject of its own: the most objects for the fewest bytes.</summary>
    public static byte[] OfSmallChunks(int count, bool isReversed = false)
    {
        int table = 8 + (count * EntryLength);
        byte[] body = new byte[table + count];
        BinaryPrimitives.WriteInt32LittleEndian(body, table);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), count);
        for (int i = 0; i < count; i++)
        {
            Span<byte> entry = body.AsSpan(8 + (i * EntryLength), EntryLength);
            BinaryPrimitives.WriteInt32LittleEndian(entry, 1);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], 1);
            BinaryPrimitives.WriteInt32LittleEndian(entry[8..], 1);
            BinaryPrimitives.WriteInt32LittleEndian(entry[12..], isReversed ? count - 1 - i : i);
            BinaryPrimitives.WriteInt32LittleEndian(entry[16..], 1);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[20..], 2);
            entry[22] = (byte)('!' + (i / 90 % 90));
            entry[23] = (byte)('!' + (i % 90));
        }

        return body;
    }
}
