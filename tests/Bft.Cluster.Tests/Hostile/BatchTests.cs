using System.Security.Cryptography;
using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>What a publisher with a key can send in place of an honest batch.</summary>
[Collection(SharedClusterTests.Name)]
public sealed class BatchTests(SharedCluster shared)
{
    private ProcessCluster Cluster => shared.Cluster;

    [Fact]
    public Task Bytes_that_are_no_statement_end_the_call() => FailsAsync(
        "Malformed", chain => chain.Batch(0, "x"u8.ToArray()) with { Statement = RandomNumberGenerator.GetBytes(300) });

    [Fact]
    public Task A_statement_of_another_cluster_ends_the_call() => FailsAsync(
        "OtherCluster", chain => (chain with { Cluster = new ClusterId(Sha256.Hash("another"u8)) }).Batch(0, "x"u8.ToArray()));

    [Fact]
    public Task A_topic_without_a_policy_is_refused_by_name() => RefusedAsync(
        RefusalReason.UnknownTopic, "'uncovered'", chain => (chain with { Topic = new Topic("uncovered") }).Batch(0, "x"u8.ToArray()));

    [Fact]
    public Task A_body_unlike_its_statement_is_refused() => RefusedAsync(
        RefusalReason.Malformed, "", chain =>
        {
            SignedBatch batch = chain.Batch(0, "true"u8.ToArray());
            byte[] body = batch.Body.ToArray();
            body[^1] ^= 1;
            return batch with { Body = body };
        });

    [Fact]
    public Task A_signature_of_nobody_is_refused() => RefusedAsync(
        RefusalReason.BadSignature, "", chain => chain.Batch(0, "x"u8.ToArray()) with { Signature = new Signature(RandomNumberGenerator.GetBytes(Signature.Length)) });

    [Fact]
    public Task A_batch_of_another_publisher_is_refused() => RefusedAsync(
        RefusalReason.NotAllowed, "key that opened it", chain =>
        {
            using Ed25519Signer other = Cluster.SignerOf("reader");
            return (chain with { Signer = other }).Batch(0, "x"u8.ToArray());
        });

    [Fact]
    public Task A_batch_above_the_clusters_limit_is_refused_unread() => AttackAsync(64, async (call, chain) =>
    {
        ClusterLimits lax = ClusterLimits.Default with { BatchBytesMax = 16 * 1024 * 1024, WindowBytes = 64 * 1024 * 1024 };
        SignedBatch batch = (chain with { Limits = lax }).Batch(0, Enumerable.Range(0, 6).Select(_ => new byte[1024 * 1024]));
        Task writing = call.WriteAsync(new BatchFrame(batch)); // may end as the call does
        Assert.Equal(StatusCode.ResourceExhausted, (await call.FailureAsync()).StatusCode);
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    });

    [Fact]
    public Task W4_a_sequence_far_ahead_is_out_of_window() => RefusedAsync(
        RefusalReason.OutOfWindow, "", chain => chain.Batch(1_000_000, "x"u8.ToArray()));

    [Fact]
    public Task An_incarnation_of_the_far_future_is_held_back() => RefusedAsync(
        RefusalReason.TooFarAhead, "", chain => (chain with { Incarnation = new Incarnation(ulong.MaxValue, 1) }).Batch(0, "x"u8.ToArray()));

    [Fact]
    public Task A_certificate_of_nobody_ends_the_call() => AttackAsync(32, async (call, _) =>
    {
        await call.WriteAsync(new CertifiedFrame(RandomNumberGenerator.GetBytes(500), []));
        Assert.Equal(StatusCode.InvalidArgument, (await call.FailureAsync()).StatusCode);
    });

    [Fact]
    public Task W4_batches_ahead_of_their_turn_are_bounded_over_all_streams() => AttackAsync(384, async (call, chain) =>
    {
        // 640 MiB, none of which may ever be acked: its predecessors do not exist. What is kept of it is 64 MiB; the rest is what the collector has not come to yet.
        byte[] megabyte = new byte[1024 * 1024];
        for (int stream = 0; stream < 40; stream++)
        {
            Chain one = chain with { Incarnation = new Incarnation(chain.Incarnation.Counter, (ulong)stream) };
            for (ulong sequence = 1; sequence <= 16; sequence++)
            {
                await call.WriteAsync(new BatchFrame(one.Batch(sequence, megabyte)));
            }
        }
    });

    [Fact]
    public async Task A_reader_that_does_not_read_holds_up_nobody()
    {
        // 64 MiB for it to read, more than its windows.
        Topic topic = ProcessCluster.NewTopic();
        byte[] line = new byte[64 * 1024];
        await using (Client.BftClient honest = Cluster.Connect("reader"))
        await using (Client.Publisher publisher = await honest.OpenPublisherAsync(topic))
        {
            for (int i = 0; i < 1024; i++)
            {
                await publisher.SendAsync(new(line), ProcessCluster.Deadline);
            }

            await publisher.FlushAsync(ProcessCluster.Deadline);
        }

        MemoryWatch memory = new(Cluster[0]);
        List<RawClient> clients = [];
        List<RawCall<ISubscribeRequest, ISubscribeReply>> calls = [];
        for (int i = 0; i < 8; i++)
        {
            clients.Add(new RawClient(Cluster, 0));
            calls.Add(await clients[^1].SubscribeAsync(topic));
            await calls[^1].NextAsync<BodyFrame>();
        }

        await Cluster.AssertServesAsync(0);
        memory.AssertBounded(grownMax: 128);
        calls.ForEach(call => call.Dispose());
        clients.ForEach(client => client.Dispose());
    }

    private Task RefusedAsync(RefusalReason reason, string words, Func<Chain, SignedBatch> make) => AttackAsync(32, async (call, chain) =>
    {
        SignedBatch batch = make(chain);
        await call.WriteAsync(new BatchFrame(batch));
        RefusalFrame refusal = await call.NextAsync<RefusalFrame>();
        Assert.Equal(reason, refusal.Reason);
        Assert.Contains(words, refusal.Text, StringComparison.Ordinal);
    });

    private Task FailsAsync(string words, Func<Chain, SignedBatch> make) => AttackAsync(32, async (call, chain) =>
    {
        await call.WriteAsync(new BatchFrame(make(chain)));
        Status status = await call.FailureAsync();
        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        Assert.Contains(words, status.Detail, StringComparison.Ordinal);
    });

    private async Task AttackAsync(int grownMax, Func<RawCall<IPublishRequest, IPublishReply>, Chain, Task> attack)
    {
        MemoryWatch memory = new(Cluster[0]);
        using RawClient client = new(Cluster, 0);
        using RawCall<IPublishRequest, IPublishReply> call = await client.PublishAsync();
        using Ed25519Signer signer = Cluster.SignerOf("publisher");
        await attack(call, new Chain(Cluster.File.Committee.Cluster, signer, ProcessCluster.NewTopic()));
        await Cluster.AssertServesAsync(0);
        memory.AssertBounded(grownMax);
    }
}
