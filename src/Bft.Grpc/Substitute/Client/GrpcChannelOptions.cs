namespace Grpc.Net.Client;

/// <summary>What a channel is made of.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>Sends the requests; by default a <see cref="SocketsHttpHandler"/> with more than one connection where streams run out.</summary>
    /// <remarks>
    /// Keep-alive pings (off by default), TLS, and the windows in which a server may send ahead (64 KiB per stream, growing to 16 MiB) are
    /// the handler's own settings: <see cref="SocketsHttpHandler.KeepAlivePingDelay"/>, <see cref="SocketsHttpHandler.SslOptions"/>,
    /// <see cref="SocketsHttpHandler.InitialHttp2StreamWindowSize"/>.
    /// </remarks>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Whether the channel disposes <see cref="HttpHandler"/>; false by default. A handler of its own it always disposes.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>Largest response message in bytes; 4 MiB by default, null means no limit.</summary>
    public int? MaxReceiveMessageSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>Largest request message in bytes; null, the default, means no limit.</summary>
    public int? MaxSendMessageSize { get; set; }
}
