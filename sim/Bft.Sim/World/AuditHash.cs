using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bft.Sim;

/// <summary>A rolling hash of all that happens: two runs are the same if theirs is.</summary>
public sealed class AuditHash
{
    private ulong _low = 0x243F6A8885A308D3;
    private ulong _high = 0x13198A2E03707344;

    public string Value => $"{_high:x16}{_low:x16}";

    public void Add(ulong value)
    {
        unchecked
        {
            _low = ulong.RotateLeft(_low ^ value, 29) * 0x9FB21C651E98DF25;
            _high = (_high + _low) * 0xD6E8FEB86659FD93;
            _high ^= _high >> 32;
        }
    }

    public void Add(ReadOnlySpan<byte> bytes) => Add(FastHash.Of(bytes));
}

/// <summary>A hash for comparing runs and finding signatures; not for digests.</summary>
internal static class FastHash
{
    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed = 0)
    {
        unchecked
        {
            ulong hash = seed ^ ((ulong)bytes.Length * 0x9E3779B97F4A7C15);
            ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
            foreach (ulong word in words)
            {
                hash = Step(hash, word);
            }

            foreach (byte rest in bytes[(words.Length * sizeof(ulong))..])
            {
                hash = Step(hash, rest);
            }

            return hash ^ (hash >> 29);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Step(ulong hash, ulong word)
    {
        ulong high = Math.BigMul(hash ^ word, 0xD6E8FEB86659FD93, out ulong low);
        return high ^ low ^ ulong.RotateLeft(word, 23);
    }
}
