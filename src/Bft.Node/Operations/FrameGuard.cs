using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Bft.Node;

/// <summary>Reads along, under TLS, in the frames of one HTTP/2 connection, and ends it when it sends what only an abuser sends.</summary>
/// <remarks>
/// Kestrel answers resets, pings, settings and empty frames for as long as they come, and buffers up to a window of every body whether or not
/// anybody will read it. Here each frame but a filled DATA frame costs a token, and body bytes are counted where they arrive. Frames are told by
/// their 9 bytes of head; whether they are legal is for Kestrel to say.
/// </remarks>
internal sealed class FrameGuard(PipeReader inner, Visitor visitor, EdgeLimits limits) : TappedReader(inner)
{
    private const int PrefaceLength = 24;
    private const int HeadLength = 9;
    private const byte Data = 0;
    private const byte ResetStream = 3;

    /// <summary>What Kestrel's settings announce (SETTINGS_MAX_FRAME_SIZE). Unit: bytes.</summary>
    private const int FrameBytesMax = 16 * 1024;

    /// <summary>A DATA frame below this is not worth its head. Unit: bytes.</summary>
    private const int TinyData = 32;

    private readonly byte[] _head = new byte[HeadLength];
    private readonly FrameBudget _budget = new(limits);
    private int _headLength;
    private long _skip = PrefaceLength;

    protected override void OnArrived(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            Walk(segment.Span);
        }
    }

    protected override void OnTaken(long taken, long left)
    {
    }

    private void Walk(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_skip > 0)
            {
                int skipped = (int)Math.Min(_skip, bytes.Length);
                _skip -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            int copied = Math.Min(HeadLength - _headLength, bytes.Length);
            bytes[..copied].CopyTo(_head.AsSpan(_headLength));
            _headLength += copied;
            bytes = bytes[copied..];
            if (_headLength == HeadLength)
            {
                _headLength = 0;
                OnFrame(BinaryPrimitives.ReadInt32BigEndian(_head) >>> 8, _head[3], BinaryPrimitives.ReadInt32BigEndian(_head.AsSpan(5)) & int.MaxValue);
            }
        }
    }

    private void OnFrame(int length, byte type, int stream)
    {
        _skip = length;
        if (type == Data && length <= FrameBytesMax) // a longer one ends the connection, and in Kestrel's way
        {
            visitor.OnBody(stream, length);
        }
        else if (type == ResetStream)
        {
            visitor.End(stream);
        }

        if ((type != Data || length < TinyData) && !_budget.TryTake(visitor.IsKnown, Environment.TickCount64))
        {
            visitor.Expel("more frames without content than any client sends");
        }
    }
}
