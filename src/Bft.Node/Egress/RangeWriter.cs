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
            (served.Frame as BatchFrame)?.Batch.BodyOwner?.Dispose();
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
            string why = $"nothing was read for {timeout.TotalSeconds:0.#} s; resume from the cursor";
            await EndAsync(written, why);
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"SLOW_CONSUMER: {why}."));
        }
    }

    /// <summary>The end frame waits behind what is not taken: a reader that comes back finds it there; one that does not only has the status.</summary>
    private async Task EndAsync(Task written, string why)
    {
        if ((object)new EndFrame(EndReason.SlowConsumer, why) is T end)
        {
            try
            {
                await written.WaitAsync(timeout);
                writer.WriteOptions = Send;
                await writer.WriteAsync(end).WaitAsync(timeout);
            }
            catch (TimeoutException)
            {
                // It never read.
            }
        }
    }
}
