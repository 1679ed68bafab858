using Bft.Crypto;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;
using Grpc.Core;

namespace Bft.Node;

/// <summary>The calls that clients make.</summary>
internal sealed class WitnessService(
    NodeIdentity identity, EdgeLimits limits, Sessions sessions, BatchStore store, CoreMailbox core, PublisherGate gate,
    PublisherCalls publishers, HandOverBook handOvers, TopicSignals topics, StatusReport status, NodeLifetime lifetime) : WitnessServiceBase
{
    private readonly BatchVerifier _batches = new(identity.Committee.Cluster, identity.Committee.Limits, Ed25519.Instance);

    public override Task<IInfoReply> Info(IInfoRequest request, ServerCallContext context) => Task.FromResult<IInfoReply>(status.Info);

    public override Task Publish(IAsyncStreamReader<IPublishRequest> requestStream, IServerStreamWriter<IPublishReply> responseStream, ServerCallContext context) =>
        lifetime.RunCallAsync(over => PublishAsync(requestStream, responseStream, context, over), context.CancellationToken);

    public override Task Subscribe(IAsyncStreamReader<ISubscribeRequest> requestStream, IServerStreamWriter<ISubscribeReply> responseStream, ServerCallContext context) =>
        lifetime.RunCallAsync(over => SubscribeAsync(requestStream, responseStream, context, over), context.CancellationToken);

    public override Task Fetch(IAsyncStreamReader<IFetchRequest> requestStream, IServerStreamWriter<IFetchReply> responseStream, ServerCallContext context) =>
        lifetime.RunCallAsync(
            async over =>
            {
                using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: false, context, over);
                FetchAnswers answers = new(identity.Cluster, store, session.Client, session.Peer);
                await new FetchCall(answers, new RangeWriter<IFetchReply>(responseStream, limits.SlowConsumerTimeout)).RunAsync(requestStream, over);
            },
            context.CancellationToken);

    public override Task Evidence(IAsyncStreamReader<IEvidenceRequest> requestStream, IServerStreamWriter<IEvidenceReply> responseStream, ServerCallContext context) =>
        lifetime.RunCallAsync(
            async over =>
            {
                using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: false, context, over);
                TaskCompletionSource<IReadOnlyList<VerifiedEvidence>> held = new(TaskCreationOptions.RunContinuationsAsynchronously);
                core.Post(new EvidenceListInput(held));
                foreach (VerifiedEvidence evidence in await held.Task.WaitAsync(over))
                {
                    await responseStream.WriteAsync(new EvidenceFrame(evidence.Evidence.Encode()), over);
                }
            },
            context.CancellationToken);

    public override Task Status(IAsyncStreamReader<IStatusRequest> requestStream, IServerStreamWriter<IStatusReply> responseStream, ServerCallContext context) =>
        lifetime.RunCallAsync(
            async over =>
            {
                using Session session = await sessions.OpenAsync(requestStream, responseStream, isForPeers: false, context, over);
                await responseStream.WriteAsync(status.Now(), over);
            },
            context.CancellationToken);

    private async Task PublishAsync(
        IAsyncStreamReader<IPublishRequest> requests, IServerStreamWriter<IPublishReply> replies, ServerCallContext context, CancellationToken cancellationToken)
    {
        using Session session = await sessions.OpenAsync(requests, replies, isForPeers: false, context, cancellationToken);
        Outbox<IPublishReply> outbox = new(limits.OutboxBytesMax);
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, outbox.Over.Token);
        PublishIntake intake = new(identity.Cluster, store, _batches, Ed25519.Instance, session.Client, handOvers, outbox.Post);
        PublishCall call = new(session, identity.Committee.Cluster, gate, intake, core, outbox);
        publishers.Add(session.Client, outbox);
        Task writing = outbox.WriteAllAsync(replies, new HeartbeatFrame(), limits.PublisherHeartbeatInterval);
        try
        {
            await await Task.WhenAny(call.ReadAllAsync(requests, over.Token), writing);
        }
        finally
        {
            publishers.Remove(session.Client, outbox);
            intake.OnClosed();
            outbox.Close();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SubscribeAsync(
        IAsyncStreamReader<ISubscribeRequest> requests, IServerStreamWriter<ISubscribeReply> replies, ServerCallContext context, CancellationToken cancellationToken)
    {
        using Session session = await sessions.OpenAsync(requests, replies, isForPeers: false, context, cancellationToken);
        RangeWriter<ISubscribeReply> writer = new(replies, limits.SlowConsumerTimeout);
        if (!await requests.MoveNext(cancellationToken) || requests.Current is not StartFrame start)
        {
            await writer.WriteAsync(new EndFrame(EndReason.Malformed, "after the welcome comes a start"));
            return;
        }

        if (SubscriptionFeed.WhyRefused(identity.Cluster, start, session.Client, session.Peer) is { } refused)
        {
            await writer.WriteAsync(refused);
            return;
        }

        using TopicSignals.Watch watch = topics.WatchOf(start.Topic);
        try
        {
            await new Subscription(new SubscriptionFeed(store, () => identity.Cluster, start), watch.Signal, limits.HeartbeatInterval, writer).RunAsync(cancellationToken);
        }
        catch (StoreDamageException)
        {
            await writer.WriteAsync(new EndFrame(EndReason.Faulted, "a stored record is damaged; resume at another witness"));
            throw;
        }
    }
}
