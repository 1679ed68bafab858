using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Writes what is served to one call. A slow reader stops its own call and nobody else's.</summary>
/// <param name="writer">Of a subscription or a fetch.</param>
/// <param name="timeout">R6: a write that makes no progress for so long ends the call.</param>
internal sealed class RangeWriter<T>(IServerStreamWriter<T> writer, TimeSpan timeout)
    where T : class, IFrame
{
    private static readonly WriteOptions Gather = new(WriteFlags.BufferHint);
    private static readonly WriteOptions Send = new();

    /// <returns>Whether there was anything.</returns>
    public async ValueTask<bool> WriteAsync(IEnumerable<Served<T>> frames, CancellationToken cancellationToken)
    {
        bool any = false;
        foreach (Served<T> served in frames)
        {
            any = true;
            cancellationToken.ThrowIfCancellationRequested();
            await WriteAsync(served.Frame, served.IsLast);
            (served.Frame as BodyFrame)?.BodyOwner?.Dispose();
        }

        return any;
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
