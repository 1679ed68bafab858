using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Node;

/// <summary>Dials other witnesses: TLS 1.3 to the key that cluster.yaml pins, then a hello with this witness's key.</summary>
internal sealed class PeerDialer(NodeIdentity identity, EdgeLimits limits)
{
    private readonly StrongBox<Digest>?[] _seen = new StrongBox<Digest>?[identity.Cluster.Witnesses.Count];

    /// <summary>A channel to a peer. It dials with the first call.</summary>
    public GrpcChannel ChannelTo(WitnessIndex peer)
    {
        WitnessEntry entry = identity.Cluster.Witnesses[peer.Value];
        SocketsHttpHandler handler = new()
        {
            EnableMultipleHttp2Connections = false,
            ConnectTimeout = limits.HelloTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = TimeSpan.FromSeconds(5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            InitialHttp2StreamWindowSize = limits.StreamWindowBytes,
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 shown && IsPinned(peer, NodeIdentity.PinOf(shown)),
            },
        };
        return GrpcChannel.ForAddress(entry.Address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameLimits.MessageBytesMax(identity.Cluster.Limits),
        });
    }

    /// <summary>Opens the session on a call to a peer.</summary>
    /// <exception cref="RpcException">The peer refused, or is not there.</exception>
    /// <exception cref="TimeoutException">It did not answer in time.</exception>
    public async Task OpenAsync<TRequest, TReply>(AsyncDuplexStreamingCall<TRequest, TReply> call, WitnessIndex peer)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        ChallengeFrame challenge = await NextAsync<TReply, ChallengeFrame>(call.ResponseStream);
        HelloStatement statement = new(identity.Committee.Cluster, identity.Signer.PublicKey, peer, Volatile.Read(ref _seen[peer.Value])?.Value ?? default, challenge.Nonce);
        HelloFrame hello = new(identity.Signer.PublicKey, statement.Sign(identity.Signer));
        await call.RequestStream.WriteAsync((TRequest)(object)hello);
        await NextAsync<TReply, WelcomeFrame>(call.ResponseStream);
    }

    /// <summary>As cluster.yaml has it now. What was shown last is what the hello signs.</summary>
    private bool IsPinned(WitnessIndex peer, Digest shown)
    {
        bool isPinned = identity.Cluster.Witnesses[peer.Value].Accepts(shown);
        if (isPinned)
        {
            Volatile.Write(ref _seen[peer.Value], new StrongBox<Digest>(shown));
        }

        return isPinned;
    }

    private async Task<TFrame> NextAsync<TReply, TFrame>(IAsyncStreamReader<TReply> replies)
        where TReply : class, IFrame
        where TFrame : class
    {
        bool any = await replies.MoveNext(CancellationToken.None).WaitAsync(limits.HelloTimeout);
        return any && replies.Current is IFrame and TFrame frame
            ? frame
            : throw new RpcException(new Status(StatusCode.Internal, $"The peer did not answer with a {typeof(TFrame).Name}."));
    }
}
