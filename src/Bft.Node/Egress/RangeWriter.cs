using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Writes certified ranges to one call: certificate and statements, then bodies. A slow reader stops its own call and nobody else's.</summary>
/// <param name="writer">Of a subscription or a fetch.</param>
/// <param name="timeout">R6: a write that makes no progress for so long ends the call.</param>
internal sealed class RangeWriter<T>(IServerStreamWriter<T> writer, TimeSpan timeout)
    where T : class, IFrame
{
    private static readonly WriteOptions Gather = new(WriteFlags.BufferHint);
    private static readonly WriteOptions Send = new();

    /// <param name="log">Whose slots.</param>
    /// <param name="range">Which.</param>
    /// <param name="bodiesTo">Bodies up to here; null for none.</param>
    public async ValueTask WriteAsync(StreamLog log, StoredRange range, Sequence? bodiesTo)
    {
        Sequence end = bodiesTo is not { } to ? range.From : to < range.To ? to.Following : range.To.Following;
        await WriteAsync((T)(object)StoredFrames.Certified(log, range), isLast: end <= range.From);
        for (Sequence sequence = range.From; sequence < end; sequence = sequence.Following)
        {
            BodyFrame body = StoredFrames.Body(log, sequence);
            await WriteAsync((T)(object)body, isLast: sequence.Following == end);
            body.BodyOwner!.Dispose();
        }
    }

    /// <exception cref="RpcException">The reader is too slow.</exception>
    public async ValueTask WriteAsync(T frame, bool isLast = true)
    {
        writer.WriteOptions = isLast ? Send : Gather;
        Task written = writer.WriteAsync(frame);
        if (written.IsCompletedSuccessfully)
        {
            return;
        }

        try
        {
            await written.WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            // An end frame would have to wait behind the bytes that are not taken; the status does not.
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"SLOW_CONSUMER: nothing was read for {timeout.TotalSeconds:0} s; resume from the cursor."));
        }
    }
}
