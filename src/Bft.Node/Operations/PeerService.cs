using Bft.Crypto;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node;

/// <summary>The call that other witnesses make.</summary>
internal sealed class PeerService(
    NodeIdentity identity, EdgeLimits limits, Sessions sessions, BatchStore store, CoreMailbox core, ByteBudget input,
    PeerLinks peers, NodeLifetime lifetime) : PeerServiceBase
{
    public override Task Exchange(IAsyncStreamReader<IExchangeRequest> requestStream, IServerStreamWriter<IExchangeReply> responseStream, ServerCallContext context) =>
        lifetime.RunCallAsync(over => ExchangeAsync(requestStream, responseStream, context, over), context.CancellationToken);

    private async Task ExchangeAsync(
        IAsyncStreamReader<IExchangeRequest> requests, IServerStreamWriter<IExchangeReply> replies, ServerCallContext context, CancellationToken over)
    {
        using Session session = await sessions.OpenAsync(requests, replies, isForPeers: true, context, over);
        PeerLink link = peers.Of(session.Peer!.Value) ?? throw new RpcException(new Status(StatusCode.PermissionDenied, "This witness is yourself."));
        ByteBudget budget = new(limits.InputBytesPerCallMax, input);
        ExchangeIntake intake = new(identity.Committee, identity.Index, link.Peer, store, new CountedSignatures(Ed25519.Instance));
        await new ExchangeCall(intake, core, budget, link.Allowance, link.Heard).ReadAllAsync(requests, over);
    }
}
