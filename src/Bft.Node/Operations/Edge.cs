using System.IO.Pipelines;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bft.Health;
using Bft.Reflection;
using Bft.Wire;
using Bft.Wire.Services;
using Grpc.Health.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bft.Node;

/// <summary>The server's edge: HTTP/2 over TLS 1.3, or over the Unix socket, and nothing else, with every default of Kestrel that is open closed.</summary>
internal static class Edge
{
    private const int HeaderBytesMax = 16 * 1024;
    private const int HeaderCountMax = 32;

    public static WebApplication Build(NodeIdentity identity, EdgeLimits limits, Lobby lobby, WitnessService witness, PeerService peer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Configure(kestrel, identity, limits, lobby));
        builder.WebHost.UseSockets(sockets =>
        {
            sockets.MaxReadBufferSize = limits.TransportBufferBytes;
            sockets.CreateBoundListenSocket = WitnessSocket.Bind;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = limits.StopTimeout / 2);
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = FrameLimits.MessageBytesMax(identity.Cluster.Limits));
        builder.Services.AddGrpcHealth();
        builder.Services.AddGrpcReflection([.. Contracts.Files, HealthReflection.Descriptor]);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new BlockPool());
        builder.Services.AddSingleton(witness);
        builder.Services.AddSingleton(peer);
        WebApplication app = builder.Build();
        app.Use(new Reception(lobby).ServeAsync);
        app.MapGrpcService<WitnessService>();
        app.MapGrpcService<PeerService>();
        app.MapGrpcHealth();
        app.MapGrpcReflection();
        return app;
    }

    private static void Configure(KestrelServerOptions kestrel, NodeIdentity identity, EdgeLimits limits, Lobby lobby)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = limits.ConnectionsMax;
        kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
        kestrel.Limits.MaxRequestHeadersTotalSize = HeaderBytesMax;
        kestrel.Limits.MaxRequestHeaderCount = HeaderCountMax;
        kestrel.Limits.RequestHeadersTimeout = limits.HelloTimeout;
        kestrel.Limits.KeepAliveTimeout = limits.MessagePatience; // of a connection without a call

        // Streams last and idle: heartbeats of our own tell a dead one.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;

        // Several bodies on their way to a subscriber, not one after the other.
        kestrel.Limits.MaxResponseBufferSize = limits.ResponseBufferBytes;
        Http2Limits http2 = kestrel.Limits.Http2;
        http2.MaxStreamsPerConnection = limits.CallsPerConnectionMax;
        http2.MaxRequestHeaderFieldSize = HeaderBytesMax / 2;
        http2.InitialStreamWindowSize = limits.StreamWindowBytes;
        http2.InitialConnectionWindowSize = limits.ConnectionWindowBytes;
        http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
        http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);

        // First: who finds the address finds the socket.
        if (identity.Self.Socket is { } path)
        {
            kestrel.ListenUnixSocket(path, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection => lobby.ServeAsync(connection, next));
                listen.Use(next => connection => GuardedAsync(connection, next));
            });
        }

        kestrel.Listen(identity.Listen, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;

            // Before TLS: a handshake that never ends waits in the lobby like others.
            listen.Use(next => connection => lobby.ServeAsync(connection, next));
            listen.UseHttps(https =>
            {
                https.ServerCertificateSelector = (connection, _) =>
                {
                    X509Certificate2 certificate = identity.Certificate;
                    connection!.Features.GetRequiredFeature<Visitor>().Pin = NodeIdentity.PinOf(certificate);
                    return certificate;
                };
                https.SslProtocols = SslProtocols.Tls13;
                https.HandshakeTimeout = limits.HelloTimeout;
            });
            listen.Use(next => connection =>
            {
                connection.Features.GetRequiredFeature<Visitor>().HasTls = true;
                return GuardedAsync(connection, next);
            });
        });

        Task GuardedAsync(ConnectionContext connection, ConnectionDelegate next)
        {
            FrameGuard guard = new(connection.Transport.Input, connection.Features.GetRequiredFeature<Visitor>(), limits);
            connection.Transport = new GuardedTransport(guard, connection.Transport.Output);
            return next(connection);
        }
    }

    private sealed record GuardedTransport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
