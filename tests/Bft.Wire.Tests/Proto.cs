namespace Bft.Wire.Tests;

/// <summary>Length-delimited fields, written without the code under test.</summary>
internal static class Proto
{
    public static byte[] Field(int field, byte[] content) => [.. VarInt((field << 3) | 2), .. VarInt(content.Length), .. content];

    public static byte[] Fields(int field, byte[] content, int count)
    {
        byte[] one = Field(field, content);
        byte[] all = new byte[one.Length * count];
        for (int i = 0; i < count; i++)
        {
            one.CopyTo(all, i * one.Length);
        }

        return all;
    }

    private static IEnumerable<byte> VarInt(int value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            yield return (byte)((value & 0x7f) | 0x80);
        }

        yield return (byte)value;
    }
}
