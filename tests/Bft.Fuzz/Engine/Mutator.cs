using System.Buffers.Binary;

namespace Bft.Fuzz;

/// <summary>Changes inputs: bits, bytes, blocks, numbers where lengths and counts stand, and pieces of other inputs. Deterministic by its seed.</summary>
internal sealed class Mutator(Prng random)
{
    private const int ChangesMax = 4;

    /// <summary>Where bounds lie, and one beyond.</summary>
    private static readonly ulong[] Numbers =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 16383, 16384, 65535, 65536, 1 << 20, (1 << 28) - 1, 1 << 28, int.MaxValue - 1, int.MaxValue, 1U << 31,
        uint.MaxValue - 1, uint.MaxValue, 1UL << 32, (1UL << 62) - 1, 1UL << 62, long.MaxValue, 1UL << 63, ulong.MaxValue - 1, ulong.MaxValue,
    ];

    public Prng Random => random;

    /// <summary>A changed copy.</summary>
    /// <param name="input">Left as it is.</param>
    /// <param name="other">Another input of the same format.</param>
    /// <param name="words">Words of the format; perhaps none.</param>
    /// <param name="lengthMax">The copy is no longer. Unit: bytes.</param>
    public byte[] Change(byte[] input, byte[] other, IReadOnlyList<byte[]> words, int lengthMax)
    {
        List<byte> bytes = [.. input];
        for (int changes = 1 + random.Below(ChangesMax); changes > 0; changes--)
        {
            ChangeOnce(bytes, other, words);
        }

        return bytes.Count <= lengthMax ? [.. bytes] : [.. bytes[..lengthMax]];
    }

    private void ChangeOnce(List<byte> bytes, byte[] other, IReadOnlyList<byte[]> words)
    {
        int at = Place(bytes.Count);
        int length = Math.Min(bytes.Count - at, 1 + random.Below(random.OneIn(4) ? 256 : 8));
        switch (random.Below(words.Count == 0 ? 13 : 16))
        {
            case 0 when bytes.Count > 0:
                bytes[at] ^= (byte)(1 << random.Below(8));
                break;
            case 1 when bytes.Count > 0:
                bytes[at] = random.Byte();
                break;
            case 2 when bytes.Count > 0:
                bytes[at] = (byte)(random.Of(Numbers) & 0xff);
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 5:
                bytes.InsertRange(at, Enumerable.Range(0, 1 + random.Below(8)).Select(_ => random.Byte()));
                break;
            case 6 when other.Length > 0:
                int from = random.Below(other.Length);
                int taken = Math.Min(other.Length - from, 1 + random.Below(256));
                bytes.RemoveRange(at, Math.Min(random.OneIn(2) ? taken : 0, bytes.Count - at));
                bytes.InsertRange(at, other.AsSpan(from, taken).ToArray());
                break;
            case 7 when other.Length > 0:
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other.AsSpan(random.Below(other.Length)).ToArray());
                break;
            case 8:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 9:
                bytes.AddRange(Enumerable.Repeat(random.OneIn(2) ? (byte)0 : random.Byte(), 1 + random.Below(64)));
                break;
            case 10:
                SetNumber(bytes, at, random.Of(Numbers));
                break;
            case 11:
                AddToNumber(bytes, at);
                break;
            case 12:
                SetVarInt(bytes, at);
                break;
            case > 12:
                bytes.RemoveRange(at, random.OneIn(2) ? length : 0);
                bytes.InsertRange(at, random.Of(words));
                break;
            default:
                break;
        }
    }

    /// <summary>Most structure stands in the first bytes.</summary>
    private int Place(int count) => count == 0 ? 0 : random.Below(random.OneIn(3) ? Math.Min(count, 16) : count);

    private void SetNumber(List<byte> bytes, int at, ulong value)
    {
        Span<byte> number = stackalloc byte[8];
        int width = 1 << random.Below(4);
        if (random.OneIn(4))
        {
            BinaryPrimitives.WriteUInt64BigEndian(number, unchecked(value << (8 * (8 - width))));
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        }

        for (int i = 0; i < width && at + i < bytes.Count; i++)
        {
            bytes[at + i] = number[i];
        }
    }

    /// <summary>One off, up or down, as a number of two or four bytes.</summary>
    private void AddToNumber(List<byte> bytes, int at)
    {
        int carry = random.OneIn(2) ? 1 + random.Below(4) : -1 - random.Below(4);
        for (int i = 0; i < 4 && at + i < bytes.Count && carry != 0; i++)
        {
            int sum = bytes[at + i] + carry;
            bytes[at + i] = (byte)(sum & 0xff);
            carry = sum >> 8;
        }
    }

    /// <summary>In place of the number that stands there: another one, or the same in a longer form.</summary>
    private void SetVarInt(List<byte> bytes, int at)
    {
        int end = at;
        ulong value = 0;
        while (end < bytes.Count && end - at < 10)
        {
            value |= unchecked((ulong)(bytes[end] & 0x7f) << (7 * (end - at)));
            if (bytes[end++] < 0x80)
            {
                break;
            }
        }

        bytes.RemoveRange(at, end - at);
        bytes.InsertRange(at, VarInt(random.OneIn(2) ? value : random.Of(Numbers), random.OneIn(3) ? random.Below(10) : 0));
    }

    /// <summary>LEB128, in more bytes than needed where <paramref name="longer"/> says so.</summary>
    public static byte[] VarInt(ulong value, int longer = 0)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)((value & 0x7f) | 0x80));
        }

        bytes.Add((byte)value);
        for (; longer > 0; longer--)
        {
            bytes[^1] |= 0x80;
            bytes.Add(0);
        }

        return [.. bytes];
    }
}
