namespace Grpc.Core;

/// <summary>One call as its handler sees it.</summary>
public abstract class ServerCallContext
{
    private protected ServerCallContext()
    {
    }

    /// <summary>The path: <c>/package.Service/Method</c>.</summary>
    public abstract string Method { get; }

    /// <summary>The authority that the client named.</summary>
    public abstract string Host { get; }

    /// <summary>The client's address, for example <c>ipv4:127.0.0.1:50123</c>.</summary>
    public abstract string Peer { get; }

    /// <summary>UTC; <see cref="DateTime.MaxValue"/> without a deadline.</summary>
    public abstract DateTime Deadline { get; }

    public abstract Metadata RequestHeaders { get; }

    /// <summary>Fires when the client resets the call, the connection dies, or the deadline passes.</summary>
    public abstract CancellationToken CancellationToken { get; }

    /// <summary>Sent with the status at the end.</summary>
    public abstract Metadata ResponseTrailers { get; }

    /// <summary>Sent when the handler returns; OK by default.</summary>
    public abstract Status Status { get; set; }

    public abstract WriteOptions? WriteOptions { get; set; }

    /// <summary>Room for the host's own objects.</summary>
    public IDictionary<object, object> UserState { get; } = new Dictionary<object, object>();

    /// <summary>Sends the response's headers, before the first message and at most once.</summary>
    /// <exception cref="InvalidOperationException">The response has begun.</exception>
    public abstract Task WriteResponseHeadersAsync(Metadata responseHeaders);
}
