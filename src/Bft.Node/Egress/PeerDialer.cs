using Bft.Configuration;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Dials other witnesses, by TLS or over their sockets on this host, and says hello with this witness's key.</summary>
internal sealed class PeerDialer(NodeIdentity identity, EdgeLimits limits, NodeLog log)
{
    private readonly LocalSocket?[] _sockets = new LocalSocket?[identity.Cluster.Witnesses.Count];

    /// <summary>A channel to a peer. It dials with the first call.</summary>
    public PeerChannel ChannelTo(WitnessIndex peer)
    {
        WitnessEntry entry = identity.Cluster.Witnesses[peer.Value];
        return new PeerChannel(identity, entry, SocketOf(entry), limits);
    }

    /// <summary>Opens the session on a call to a peer.</summary>
    /// <exception cref="RpcException">The peer refused, or is not there.</exception>
    /// <exception cref="TimeoutException">It did not answer in time.</exception>
    public async Task OpenAsync<TRequest, TReply>(AsyncDuplexStreamingCall<TRequest, TReply> call, PeerChannel channel)
        where TRequest : class, IFrame
        where TReply : class, IFrame
    {
        ChallengeFrame challenge = await NextAsync<TReply, ChallengeFrame>(call.ResponseStream);
        HelloStatement statement = new(identity.Committee.Cluster, identity.Signer.PublicKey, channel.Peer, channel.Pin, challenge.Nonce);
        await call.RequestStream.WriteHelloAsync(new HelloFrame(identity.Signer.PublicKey, statement.Sign(identity.Signer)), CancellationToken.None);
        await NextAsync<TReply, WelcomeFrame>(call.ResponseStream);

        // Witnesses that start together find one another's addresses sooner or later than their sockets.
        if (!channel.IsLocal && SocketOf(identity.Cluster.Witnesses[channel.Peer.Value]) is { Path: var path })
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"Its socket {path} is there by now, and is dialled instead."));
        }
    }

    /// <summary>The peer's, as cluster.yaml has it now; null when there is none on this host that is of use.</summary>
    private LocalSocket? SocketOf(WitnessEntry peer)
    {
        // It remembers what was of no use, so it is the same one as long as the path is.
        ref LocalSocket? socket = ref _sockets[peer.Index.Value];
        if (socket?.Path != peer.Socket)
        {
            socket = peer.Socket is { } path ? new LocalSocket(path, why => log.Write($"speaks to peer {peer.Index} at its address, and not on its socket {path}: {why}")) : null;
        }

        return socket?.IsThere() == true ? socket : null;
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
