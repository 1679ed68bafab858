using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;
using Grpc.Net.Client;

namespace Bft.Node;

/// <summary>Fetches from a peer what is certified and missing here (W5, W8, S1). Which peer, and when another, the core decides.</summary>
internal sealed class CatchUp(Committee committee, PeerDialer dialer, CoreMailbox core, ByteBudget input, EdgeLimits limits, NodeLog log, CancellationToken stopping) : IDisposable
{
    private const int AtOnceMax = 4;

    private readonly SemaphoreSlim _places = new(AtOnceMax);
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, Ed25519.Instance);

    /// <summary>Begins a fetch; bounded by the streams that are behind, of which <see cref="AtOnceMax"/> are under way at a time.</summary>
    public void Start(FetchOrder order) => _ = RunAsync(order);

    public void Dispose() => _places.Dispose();

    private async Task RunAsync(FetchOrder order)
    {
        try
        {
            await _places.WaitAsync(stopping);
            try
            {
                await FetchAsync(order);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (Exception e) when (e is RpcException or TimeoutException or OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
            {
                log.Write($"fetching {order.Stream.ToString()[..8]}/{order.From} from peer {order.Peer} failed: {e.Message}");
            }
        }
        finally
        {
            core.Post(new FetchEndedInput(order.Stream));
        }
    }

    private async Task FetchAsync(FetchOrder order)
    {
        using GrpcChannel channel = dialer.ChannelTo(order.Peer);
        using AsyncDuplexStreamingCall<IFetchRequest, IFetchReply> call = new WitnessClient(channel).Fetch(new CallOptions(cancellationToken: stopping));
        await dialer.OpenAsync(call, order.Peer);
        CatchUpIntake intake = new(committee, Ed25519.Instance, _batches, order);
        await call.RequestStream.WriteAsync(intake.Request);

        ByteBudget budget = new(limits.InputBytesPerCallMax, input);
        while (!intake.IsComplete && await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(limits.HelloTimeout))
        {
            Intake taken = intake.Take(call.ResponseStream.Current);
            if (taken.Fault is { } fault)
            {
                throw new RpcException(new Status(StatusCode.DataLoss, fault));
            }

            if (taken.Input is { } arrived)
            {
                await core.PostAsync(arrived, budget, stopping);
            }
        }
    }
}
