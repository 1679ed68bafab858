using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Wire.Services;

/// <summary>How a hello is sent, on any duplex call.</summary>
public static class HelloWriting
{
    /// <summary>Writes the hello. What comes back says whether it arrived, and if not why.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task WriteHelloAsync<TRequest>(this IClientStreamWriter<TRequest> requests, HelloFrame hello, CancellationToken cancellationToken)
        where TRequest : class, IFrame
    {
        try
        {
            await requests.WriteAsync((TRequest)(IFrame)hello, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // A witness that refuses the hello ends the call, which may reset the request before the write is over: why, the answer says.
        }
    }
}
