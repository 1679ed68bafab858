using Grpc.Core;
using Grpc.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>The messages of a response, handed to the connection one at a time.</summary>
internal sealed class ResponseStreamWriter<T>(HttpServerCallContext context, MessageWriter<T> writer) : IServerStreamWriter<T>
    where T : class
{
    private int _isWriting;

    public WriteOptions? WriteOptions
    {
        get => context.WriteOptions;
        set => context.WriteOptions = value;
    }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    /// <exception cref="InvalidOperationException">Another write is under way, or the handler has returned.</exception>
    /// <exception cref="OperationCanceledException">The call or the given token was cancelled.</exception>
    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
        {
            throw new InvalidOperationException("The last write has not ended.");
        }

        try
        {
            if (context.Covers(cancellationToken))
            {
                await SendAsync(message, context.CancellationToken).ConfigureAwait(false);
                return;
            }

            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.CancellationToken);
            await SendAsync(message, either.Token).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isWriting, 0);
        }
    }

    /// <summary>Serialises a message without sending it.</summary>
    public void Put(T message)
    {
        ArgumentNullException.ThrowIfNull(message);
        context.ThrowIfEnded();
        try
        {
            writer.Write(message);
            context.HasMessages = true;
        }
        catch (Exception e) when (e is not RpcException)
        {
            // Half a message may stand in the pipe; nothing can follow it, not even a status.
            context.Reset();
            throw;
        }
    }

    private async ValueTask SendAsync(T message, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Put(message);
        await writer.SendAsync(WriteOptions, cancellationToken).ConfigureAwait(false);

        // Kestrel completes the writes of a connection that is gone as if it were there.
        cancellationToken.ThrowIfCancellationRequested();
    }
}
