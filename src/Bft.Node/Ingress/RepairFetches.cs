using Bft.Crypto;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Node;

/// <summary>Fetches from peers what is damaged here, one order at a time.</summary>
internal sealed class RepairFetches(NodeIdentity identity, BatchStore store, PeerDialer dialer, CoreMailbox core, ByteBudget input, EdgeLimits limits, NodeLog log, CancellationToken stopping)
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
        using GrpcChannel channel = dialer.ChannelTo(order.Peer);
        using AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> call = new WitnessClient(channel).Fetch(new CallOptions(cancellationToken: cancellationToken));
        await dialer.OpenAsync(call, order.Peer);
        RepairIntake intake = new(identity.Cluster, Ed25519.Instance, _batches, store, order);
        await call.RequestStream.WriteAsync(intake.Request, cancellationToken);

        ByteBudget budget = new(limits.InputBytesPerCallMax, input);
        while (!intake.IsComplete && await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(limits.HelloTimeout, cancellationToken))
        {
            Intake taken = intake.Take(call.ResponseStream.Current);
            if (taken.Fault is { } fault)
            {
                throw new RpcException(new Status(StatusCode.DataLoss, fault));
            }

            if (taken.Input is { } arrived)
            {
                await core.PostAsync(arrived, budget, cancellationToken);
            }
        }
    }
}
