using System.Numerics;
using System.Runtime.InteropServices;

namespace Bft.Storage;

/// <summary>CRC-32C (RFC 3720, B.4): finds every flip of up to three bits in what a journal writes, and all but one in 2³² of worse.</summary>
internal struct Checksum()
{
    private uint _state = uint.MaxValue;

    public readonly uint Value => ~_state;

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        Checksum checksum = new();
        checksum.Add(bytes);
        return checksum.Value;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        uint state = _state;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            state = BitOperations.Crc32C(state, word);
        }

        foreach (byte rest in bytes[(bytes.Length & ~7)..])
        {
            state = BitOperations.Crc32C(state, rest);
        }

        _state = state;
    }
}
