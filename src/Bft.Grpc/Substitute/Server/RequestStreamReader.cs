using Grpc.Core;
using Grpc.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>The messages of a request, taken from the connection one at a time as the handler asks.</summary>
internal sealed class RequestStreamReader<T>(HttpServerCallContext context, MessageReader<T> reader) : IAsyncStreamReader<T>
    where T : class
{
    private T? _current;

    public T Current => _current ?? throw new InvalidOperationException("There is no current message.");

    /// <exception cref="OperationCanceledException">The call or the given token was cancelled, or the client is gone.</exception>
    /// <exception cref="RpcException">The client broke the protocol or a limit.</exception>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (context.Covers(cancellationToken))
        {
            return await ReadAsync(context.CancellationToken).ConfigureAwait(false);
        }

        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.CancellationToken);
        return await ReadAsync(either.Token).ConfigureAwait(false);
    }

    /// <summary>The only message of a request that is not a stream.</summary>
    public async Task<T> ReadSingleAsync()
    {
        if (!await MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            throw new RpcException(new Status(StatusCode.Internal, "The call has no request message."));
        }

        T single = Current;
        return await MoveNext(CancellationToken.None).ConfigureAwait(false)
            ? throw new RpcException(new Status(StatusCode.Internal, "The call has more than one request message."))
            : single;
    }

    private async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            _current = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            return _current is not null;
        }
        catch (Exception e) when (e is not RpcException and not OperationCanceledException)
        {
            // Kestrel has an exception for each way in which a client can go, and throws it before it cancels the request.
            context.IsClientGone = true;
            throw new OperationCanceledException("The client ended the call.", e, context.CancellationToken);
        }
    }
}
