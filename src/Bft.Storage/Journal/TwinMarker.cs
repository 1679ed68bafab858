using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>The first record of each of the two blocks that hold a checkpoint: which of the two it is, and where the first one lies.</summary>
/// <param name="IsSecond">The same records stand in the commit before.</param>
/// <param name="FirstSegment">The segment of the first one. What lies in lower segments is not replayed.</param>
internal readonly record struct TwinMarker(bool IsSecond, long FirstSegment)
{
    public const byte Kind = 255;
    private const ulong Magic = 0x4e4957_54_4a54_4642; // "BFTJTWIN", so that a record of this kind that is somebody else's is told from it
    private const int Length = 17;

    public byte[] ToHead()
    {
        byte[] head = new byte[Length];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        head[8] = IsSecond ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(9), FirstSegment);
        return head;
    }

    public static TwinMarker? Of(byte kind, ReadOnlySpan<byte> head) =>
        kind == Kind && head.Length == Length && BinaryPrimitives.ReadUInt64LittleEndian(head) == Magic
            ? new TwinMarker(head[8] != 0, BinaryPrimitives.ReadInt64LittleEndian(head[9..]))
            : null;
}
