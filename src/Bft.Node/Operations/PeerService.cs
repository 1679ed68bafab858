using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node;

/// <summary>The call that other witnesses make.</summary>
internal sealed class PeerService(
    NodeIdentity identity, EdgeLimits limits, Sessions sessions, BatchStore store, CoreMailbox core, ByteBudget input,
    PeerLinks peers, EvidenceBook evidence, NodeLifetime lifetime) : PeerServiceBase
{
    public override async Task Exchange(IAsyncStreamReader<IExchangeRequest> requestStream, IServerStreamWriter<IExchangeReply> responseStream, ServerCallContext context)
    {
        using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: true, context.CancellationToken);
        PeerLink link = peers.Of(session.Peer!.Value) ?? throw new RpcException(new Status(StatusCode.PermissionDenied, "This witness is yourself."));
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.Stopping);
        ByteBudget budget = new(limits.InputBytesPerCallMax, input);
        await new ExchangeCall(identity.Committee, store, core, budget, evidence, link.Heard).ReadAllAsync(requestStream, over.Token);
    }
}
