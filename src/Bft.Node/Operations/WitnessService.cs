using Bft.Crypto;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node;

/// <summary>The calls that clients make.</summary>
internal sealed class WitnessService(
    NodeIdentity identity, EdgeLimits limits, Sessions sessions, BatchStore store, CoreMailbox core, ByteBudget input,
    PublisherCalls publishers, TopicSignals topics, StatusReport status, NodeLifetime lifetime) : WitnessServiceBase
{
    private readonly BatchVerifier _batches = new(identity.Committee.Cluster, identity.Committee.Limits, Ed25519.Instance);

    public override Task<IInfoReply> Info(IInfoRequest request, ServerCallContext context) => Task.FromResult<IInfoReply>(status.Info);

    public override async Task Publish(IAsyncStreamReader<IPublishRequest> requestStream, IServerStreamWriter<IPublishReply> responseStream, ServerCallContext context)
    {
        using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: false, context.CancellationToken);
        Outbox<IPublishReply> outbox = new(limits.OutboxBytesMax);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.Stopping, outbox.Over.Token);
        PublishCall call = new(identity.Cluster, store, core, new ByteBudget(limits.InputBytesPerCallMax, input), _batches, session, outbox);
        publishers.Add(session.Client, outbox);
        Task writing = outbox.WriteAllAsync(responseStream, new HeartbeatFrame(), limits.HeartbeatInterval);
        try
        {
            Task reading = call.ReadAllAsync(requestStream, over.Token);
            await await Task.WhenAny(reading, writing);
        }
        finally
        {
            publishers.Remove(session.Client, outbox);
            outbox.Close();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task Subscribe(IAsyncStreamReader<ISubscribeRequest> requestStream, IServerStreamWriter<ISubscribeReply> responseStream, ServerCallContext context)
    {
        using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: false, context.CancellationToken);
        RangeWriter<ISubscribeReply> writer = new(responseStream, limits.SlowConsumerTimeout);
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current is not StartFrame start)
        {
            await writer.WriteAsync(new EndFrame(EndReason.Malformed, "after the welcome comes a start"));
            return;
        }

        if (session.Peer is null && !identity.Cluster.MayRead(start.Topic, session.Client))
        {
            await writer.WriteAsync(new EndFrame(EndReason.NotAllowed, identity.Cluster.HasPolicyFor(start.Topic)
                ? $"the policy of the topic '{start.Topic}' does not let this client read"
                : $"no policy in cluster.yaml covers the topic '{start.Topic}'"));
            return;
        }

        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.Stopping);
        try
        {
            await new Subscription(store, topics.Of(start.Topic), start, limits.HeartbeatInterval, writer).RunAsync(over.Token);
        }
        catch (StoreDamageException damage)
        {
            lifetime.Report(damage);
            await writer.WriteAsync(new EndFrame(EndReason.Faulted, "a stored record is damaged; resume at another witness"));
        }
    }

    public override async Task Fetch(IAsyncStreamReader<IFetchRequest> requestStream, IServerStreamWriter<IFetchReply> responseStream, ServerCallContext context)
    {
        using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: false, context.CancellationToken);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.Stopping);
        FetchCall call = new(identity.Cluster, store, session, new RangeWriter<IFetchReply>(responseStream, limits.SlowConsumerTimeout));
        try
        {
            await call.RunAsync(requestStream, over.Token);
        }
        catch (StoreDamageException damage)
        {
            lifetime.Report(damage);
            throw new RpcException(new Status(StatusCode.DataLoss, "A stored record is damaged; ask another witness."));
        }
    }

    public override async Task Status(IAsyncStreamReader<IStatusRequest> requestStream, IServerStreamWriter<IStatusReply> responseStream, ServerCallContext context)
    {
        using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: false, context.CancellationToken);
        await responseStream.WriteAsync(status.Now());
    }
}
