using System.Numerics;
using System.Runtime.InteropServices;

namespace Bft.Storage;

/// <summary>CRC-32C (RFC 3720, B.4): finds every flip of up to three bits in what a journal writes, and all but one in 2³² of worse.</summary>
/// <remarks>
/// A processor starts one CRC step per cycle but takes three for each, so long inputs go through three lanes at a time. The step is linear:
/// the state after a lane is the state before, moved over as many zeros, xor the lane's own from state zero.
/// </remarks>
internal struct Checksum()
{
    private const int LaneWords = 128;
    private static readonly uint[] OverLane = MakeOverLane();
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
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (; words.Length >= 3 * LaneWords; words = words[(3 * LaneWords)..])
        {
            ReadOnlySpan<ulong> first = words[..LaneWords];
            ReadOnlySpan<ulong> second = words.Slice(LaneWords, LaneWords);
            ReadOnlySpan<ulong> third = words.Slice(2 * LaneWords, LaneWords);
            uint secondState = 0;
            uint thirdState = 0;
            for (int word = 0; word < LaneWords; word++)
            {
                state = BitOperations.Crc32C(state, first[word]);
                secondState = BitOperations.Crc32C(secondState, second[word]);
                thirdState = BitOperations.Crc32C(thirdState, third[word]);
            }

            state = MoveOverLane(MoveOverLane(state) ^ secondState) ^ thirdState;
        }

        foreach (ulong word in words)
        {
            state = BitOperations.Crc32C(state, word);
        }

        foreach (byte rest in bytes[(bytes.Length & ~7)..])
        {
            state = BitOperations.Crc32C(state, rest);
        }

        _state = state;
    }

    private static uint MoveOverLane(uint state) =>
        OverLane[state & 0xFF] ^ OverLane[256 + ((state >> 8) & 0xFF)] ^ OverLane[512 + ((state >> 16) & 0xFF)] ^ OverLane[768 + (state >> 24)];

    /// <returns>For each byte of a state, at each of its four places, that state moved over a lane of zeros.</returns>
    private static uint[] MakeOverLane()
    {
        uint[] table = new uint[4 * 256];
        for (int entry = 0; entry < table.Length; entry++)
        {
            uint state = (uint)(entry % 256) << (8 * (entry / 256));
            for (int word = 0; word < LaneWords; word++)
            {
                state = BitOperations.Crc32C(state, 0UL);
            }

            table[entry] = state;
        }

        return table;
    }
}
