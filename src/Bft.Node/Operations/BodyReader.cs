using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Bft.Node;

/// <summary>The body of one request: tells its connection what was taken of it, and since when a message in it is unfinished.</summary>
internal sealed class BodyReader(PipeReader inner, Visitor visitor, int stream) : TappedReader(inner), IRequestBodyPipeFeature
{
    /// <summary>Bytes a second that a message comes with at least, after <see cref="EdgeLimits.MessagePatience"/>.</summary>
    private const int SlowestBytesPerSecond = 16 * 1024;

    private long _unfinishedSince;
    private long _unfinished;

    public PipeReader Reader => this;

    /// <summary>A message has been under way for longer than its length explains.</summary>
    public bool IsOverdue(long nowMs, TimeSpan patience) =>
        Volatile.Read(ref _unfinishedSince) is > 0 and long since
        && nowMs - since > (long)patience.TotalMilliseconds + (Volatile.Read(ref _unfinished) * 1000 / SlowestBytesPerSecond);

    protected override void OnArrived(in ReadOnlySequence<byte> bytes)
    {
    }

    protected override void OnTaken(long taken, long left)
    {
        // A reader that takes nothing of what is there waits for the rest of a message.
        Volatile.Write(ref _unfinished, left);
        if (taken > 0 || left == 0)
        {
            Volatile.Write(ref _unfinishedSince, 0);
            visitor.OnTaken(stream, taken);
        }
        else if (_unfinishedSince == 0)
        {
            Volatile.Write(ref _unfinishedSince, Environment.TickCount64);
        }
    }
}
