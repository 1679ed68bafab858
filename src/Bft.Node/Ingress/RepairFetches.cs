using Bft.Crypto;
using Bft.Protocol.Verification;
using Bft.Storage;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Fetches from peers what is damaged here, one order at a time.</summary>
internal sealed class RepairFetches(NodeIdentity identity, BatchStore store, PeerDialer dialer, PeerFetches fetches, CoreMailbox core, NodeLog log, CancellationToken stopping)
{
    private readonly BatchVerifier _batches = new(identity.Committee.Cluster, identity.Committee.Limits, Ed25519.Instance);
    private volatile CancellationTokenSource? _running;

    public void Start(RepairOrder order)
    {
        CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _running = over;
        _ = Task.Run(() => RunAsync(order, over.Token), CancellationToken.None);
    }

    public void Abandon() => _ = _running?.CancelAsync();

    private async Task RunAsync(RepairOrder order, CancellationToken over)
    {
        try
        {
            await FetchAsync(order, over);
        }
        catch (Exception e) when (e is RpcException or TimeoutException or OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
            {
                log.Write($"a repair of {order.Stream.ToString()[..8]}/{order.From} by peer {order.Peer} failed: {e.Message}");
            }
        }
        finally
        {
            core.Post(new RepairEndedInput(order));
        }
    }

    private async Task FetchAsync(RepairOrder order, CancellationToken cancellationToken)
    {
        using PeerChannel channel = dialer.ChannelTo(order.Peer);
        await fetches.RunAsync(channel, new RepairIntake(identity.Cluster, Ed25519.Instance, _batches, store, order), cancellationToken);
    }
}
