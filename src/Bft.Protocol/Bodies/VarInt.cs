namespace Bft.Protocol.Bodies;

/// <summary>Unsigned LEB128 numbers below 2^28, in the shortest form only.</summary>
internal static class VarInt
{
    public const int Max = (1 << 28) - 1;

    public static int LengthOf(int value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : 4;

    public static int Write(Span<byte> destination, int value)
    {
        int length = 0;
        while (value >= 0x80)
        {
            destination[length++] = (byte)((value & 0x7f) | 0x80);
            value >>= 7;
        }

        destination[length++] = (byte)value;
        return length;
    }

    /// <summary>Reads a number and moves on; false when the bytes end, the number is too large, or a shorter form exists.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ref int position, out int value)
    {
        value = 0;
        for (int shift = 0; shift < 28 && position < bytes.Length; shift += 7)
        {
            byte b = bytes[position++];
            value |= (b & 0x7f) << shift;
            if (b < 0x80)
            {
                return b != 0 || shift == 0;
            }
        }

        return false;
    }
}
