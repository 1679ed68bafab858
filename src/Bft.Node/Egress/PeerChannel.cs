using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Storage;
using Bft.Wire;
using Grpc.Net.Client;

namespace Bft.Node;

/// <summary>A connection to one peer, dialled with the first call on it: TLS 1.3 to the key that cluster.yaml pins, or the peer's Unix socket on this host.</summary>
internal sealed class PeerChannel : IDisposable
{
    private static readonly Uri Local = new("http://localhost");

    private readonly NodeIdentity _identity;
    private StrongBox<Digest>? _seen;

    public PeerChannel(NodeIdentity identity, WitnessEntry peer, LocalSocket? socket, EdgeLimits limits)
    {
        _identity = identity;
        Peer = peer.Index;
        IsLocal = socket is not null;
        SocketsHttpHandler handler = new()
        {
            EnableMultipleHttp2Connections = false,
            ConnectTimeout = limits.HelloTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            InitialHttp2StreamWindowSize = limits.StreamWindowBytes,
            ConnectCallback = socket is null ? null : (_, cancellationToken) => socket.ConnectAsync(cancellationToken),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 shown && IsPinned(NodeIdentity.PinOf(shown)),
            },
        };
        Calls = GrpcChannel.ForAddress(socket is null ? peer.Address : Local, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameLimits.MessageBytesMax(identity.Cluster.Limits),
        });
    }

    public WitnessIndex Peer { get; }

    /// <summary>Over the peer's Unix socket.</summary>
    public bool IsLocal { get; }

    public GrpcChannel Calls { get; }

    /// <summary>Of the TLS key that the peer showed last, which is what a hello signs; zeros on its socket.</summary>
    public Digest Pin => Volatile.Read(ref _seen)?.Value ?? default;

    public void Dispose() => Calls.Dispose();

    /// <summary>As cluster.yaml has it now.</summary>
    private bool IsPinned(Digest shown)
    {
        bool isPinned = _identity.Cluster.Witnesses[Peer.Value].Accepts(shown);
        if (isPinned)
        {
            Volatile.Write(ref _seen, new StrongBox<Digest>(shown));
        }

        return isPinned;
    }
}
