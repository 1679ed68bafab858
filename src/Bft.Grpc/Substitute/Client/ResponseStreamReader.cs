using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>The messages of a response, read from the connection one at a time as the caller asks.</summary>
internal sealed class ResponseStreamReader<TRequest, TResponse>(HttpCall<TRequest, TResponse> call) : IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private TResponse? _current;

    public TResponse Current => _current ?? throw new InvalidOperationException("There is no current message.");

    /// <remarks>Cancelling ends the whole call, since a message may be half read.</remarks>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (call.End is null && await ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            _current = message;
            return true;
        }

        _current = null;
        RpcException end = call.End!;
        return end.StatusCode == StatusCode.OK ? false : throw end;
    }

    /// <summary>The only message of a response that is not a stream, once the status came too.</summary>
    public async Task<TResponse> ReadSingleAsync()
    {
        if (!await MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            throw new RpcException(new Status(StatusCode.Internal, "The server ended the call without a response."), call.GetTrailers());
        }

        TResponse single = Current;
        if (await MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            throw call.Fail(new RpcException(new Status(StatusCode.Internal, "The server sent more than one response.")));
        }

        return single;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration cancel = call.CancelWith(cancellationToken);
        Wire.MessageReader<TResponse>? reader = null;
        try
        {
            reader = await call.Reader.ConfigureAwait(false);
            TResponse? message = await reader.ReadAsync(call.Over).ConfigureAwait(false);
            if (message is null)
            {
                call.EndWithTrailers();
                reader.Complete();
            }

            return message;
        }
        catch (Exception e)
        {
            RpcException end = call.Fail(e);
            reader?.Complete();
            if (end.StatusCode != StatusCode.OK)
            {
                throw end;
            }

            return null;
        }
    }
}
