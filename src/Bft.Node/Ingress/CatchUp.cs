using System.Collections.Concurrent;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Fetches from peers what is missing here (W5, W6, W8, S1). What, from which peer, how many at a time and when no longer: the core decides.</summary>
internal sealed class CatchUp(NodeIdentity identity, PeerDialer dialer, PeerFetches fetches, CoreMailbox core, EdgeLimits limits, NodeLog log, CancellationToken stopping) : IDisposable
{
    private readonly ConcurrentDictionary<FetchOrder, CancellationTokenSource> _running = []; // bound: the core's fetches at a time
    private readonly ConcurrentDictionary<WitnessIndex, PeerChannel> _channels = []; // one to a peer, dialled by its first fetch; bound: the committee
    private readonly BatchVerifier _batches = new(identity.Committee.Cluster, identity.Committee.Limits, Ed25519.Instance);

    public void Start(FetchOrder order)
    {
        CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _running[order] = over;
        _ = Task.Run(() => RunAsync(order, over), CancellationToken.None);
    }

    public void Abandon(FetchOrder order)
    {
        if (_running.TryRemove(order, out CancellationTokenSource? over))
        {
            _ = over.CancelAsync();
        }
    }

    public void Dispose()
    {
        foreach (WitnessIndex peer in _channels.Keys)
        {
            HangUp(peer);
        }
    }

    /// <summary>The next fetch dials: the connection may be what failed, or the peer have another certificate by now. What else runs on it would fail too, or comes from a liar.</summary>
    private void HangUp(WitnessIndex peer)
    {
        if (_channels.TryRemove(peer, out PeerChannel? channel))
        {
            channel.Dispose();
        }
    }

    private async Task RunAsync(FetchOrder order, CancellationTokenSource over)
    {
        try
        {
            await FetchAsync(order, over.Token);
        }
        catch (Exception e) when (e is RpcException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            if (!over.IsCancellationRequested)
            {
                log.Write($"fetching {order.Stream.ToString()[..8]}/{order.From} from peer {order.Peer} failed: {e.Message}");
                HangUp(order.Peer);
            }
        }
        finally
        {
            _running.TryRemove(new KeyValuePair<FetchOrder, CancellationTokenSource>(order, over));
            core.Post(new FetchEndedInput(order));
        }
    }

    private Task FetchAsync(FetchOrder order, CancellationToken cancellationToken) => fetches.RunAsync(
        _channels.GetOrAdd(order.Peer, dialer.ChannelTo), new CatchUpIntake(identity.Cluster, Ed25519.Instance, _batches, order, limits.InputBytesPerCallMax), cancellationToken);
}
