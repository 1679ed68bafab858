using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>The messages of a request, handed to the connection one at a time.</summary>
internal sealed class RequestStreamWriter<TRequest, TResponse>(HttpCall<TRequest, TResponse> call) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private bool _isCompleted;
    private int _isWriting;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    /// <exception cref="InvalidOperationException">Another write is under way, or the stream was completed.</exception>
    /// <exception cref="RpcException">The call has ended, or ends with this write.</exception>
    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
        {
            throw new InvalidOperationException("The last write has not ended.");
        }

        try
        {
            if (_isCompleted)
            {
                throw new InvalidOperationException("The request stream is completed.");
            }

            await WriteCoreAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isWriting, 0);
        }
    }

    public async Task CompleteAsync()
    {
        if (_isCompleted)
        {
            return;
        }

        _isCompleted = true;
        try
        {
            Wire.MessageWriter<TRequest> writer = await call.Writer.ConfigureAwait(false);
            await writer.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            return;
        }

        call.RequestEnd();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteCoreAsync(TRequest message, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration cancel = call.CancelWith(cancellationToken);
        if (call.End is { } end)
        {
            throw end;
        }

        Wire.MessageWriter<TRequest> writer = await call.Writer.ConfigureAwait(false);
        try
        {
            writer.Write(message);
        }
        catch (Exception e) when (e is not RpcException)
        {
            // Half a message may stand in the pipe; nothing can follow it.
            call.Fail(new RpcException(new Status(StatusCode.Internal, "A request could not be serialised.", e)));
            throw;
        }

        try
        {
            await writer.SendAsync(WriteOptions, call.Over).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            throw await call.WriteFailedAsync(e).ConfigureAwait(false);
        }
    }
}
