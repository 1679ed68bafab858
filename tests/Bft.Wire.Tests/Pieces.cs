using System.Buffers;

namespace Bft.Wire.Tests;

/// <summary>Bytes as a transport may hand them over: in several buffers.</summary>
internal sealed class Pieces : ReadOnlySequenceSegment<byte>
{
    private Pieces(ReadOnlyMemory<byte> memory, long index)
    {
        Memory = memory;
        RunningIndex = index;
    }

    public static ReadOnlySequence<byte> Of(byte[] bytes, int length)
    {
        if (bytes.Length <= length)
        {
            return new ReadOnlySequence<byte>(bytes);
        }

        Pieces first = new(bytes.AsMemory(0, length), 0);
        Pieces last = first;
        for (int at = length; at < bytes.Length; at += length)
        {
            Pieces next = new(bytes.AsMemory(at, Math.Min(length, bytes.Length - at)), at);
            last.Next = next;
            last = next;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
