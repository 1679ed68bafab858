using Bft.Client.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Client.Tests.Subscribing;

[Collection(SharedClusterTests.Name)]
public sealed class CursorTests(SharedCluster shared)
{
    private static readonly SubscriptionOptions Named = new() { CursorName = "reader" };

    [Fact]
    public async Task R3_a_committed_message_does_not_come_again_and_a_delivered_one_comes_marked()
    {
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect(data: data.Path);
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        for (int i = 0; i < 6; i++)
        {
            await publisher.PublishAsync(new Message(new[] { (byte)i }), Clients.Deadline);
        }

        await using (Subscription first = await client.SubscribeAsync(topic, Named))
        {
            await foreach (Client.Delivery delivery in first.WithCancellation(Clients.Deadline))
            {
                Assert.False(delivery.IsRedelivery);
                if (delivery.Message.Payload.Span[0] == 1)
                {
                    await first.CommitAsync(delivery);
                }
                else if (delivery.Message.Payload.Span[0] == 3)
                {
                    break;
                }
            }
        }

        List<(byte, bool)> again = [];
        await using Subscription second = await client.SubscribeAsync(topic, Named);
        await foreach (Client.Delivery delivery in second.WithCancellation(Clients.Deadline))
        {
            again.Add((delivery.Message.Payload.Span[0], delivery.IsRedelivery));
            if (again.Count == 4)
            {
                break;
            }
        }

        Assert.Equal([(2, true), (3, true), (4, false), (5, false)], again);
    }

    [Fact]
    public async Task R3_a_commit_in_the_middle_of_a_batch_resumes_there()
    {
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect(data: data.Path);
        await using Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { PipelineDepth = 1 });
        Message[] messages = [.. Enumerable.Range(0, 20).Select(i => new Message(new[] { (byte)i }))];
        await publisher.SendManyAsync(messages, Clients.Deadline);
        await publisher.FlushAsync(Clients.Deadline);
        await using (Subscription first = await client.SubscribeAsync(topic, Named))
        {
            await foreach (Client.Delivery delivery in first.WithCancellation(Clients.Deadline))
            {
                if (delivery.Message.Payload.Span[0] == 12)
                {
                    await first.CommitAsync(delivery);
                    break;
                }
            }
        }

        await using Subscription second = await client.SubscribeAsync(topic, Named);
        Assert.Equal(Enumerable.Range(13, 7).Select(i => new[] { (byte)i }), await second.ReadAsync(7));
    }

    [Fact]
    public async Task An_enumeration_goes_on_where_the_last_one_was_left()
    {
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { PipelineDepth = 1 });
        Message[] messages = [.. Enumerable.Range(0, 20).Select(i => new Message(new[] { (byte)i }))];
        await publisher.SendManyAsync(messages, Clients.Deadline);
        await using Subscription subscription = await client.SubscribeAsync(topic);

        List<byte[]> first = await subscription.ReadAsync(7);

        Assert.Equal(Enumerable.Range(0, 20).Select(i => new[] { (byte)i }), [.. first, .. await subscription.ReadAsync(13)]);
    }

    [Fact]
    public async Task R6_a_slow_application_holds_back_what_is_read_and_loses_nothing()
    {
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        byte[] payload = new byte[300 * 1024];
        for (int i = 0; i < 20; i++)
        {
            await publisher.SendAsync(new Message(payload), Clients.Deadline);
        }

        await publisher.FlushAsync(Clients.Deadline);
        await using Subscription subscription = await client.SubscribeAsync(topic, new SubscriptionOptions { QueueBytesMax = 1 });
        int batches = 0;
        await foreach (DeliveredBatch batch in subscription.ReadBatchesAsync(Clients.Deadline))
        {
            // The one in hand, and some that were on their way when it came; not all twenty.
            Assert.InRange(subscription.WaitingBytes, 1, 4 * 400 * 1024);
            batches += batch.Count;
            if (batches == 20)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task A_cursor_serves_one_subscription_at_a_time()
    {
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect(data: data.Path);
        await using Subscription first = await client.SubscribeAsync(topic, Named);

        await Assert.ThrowsAsync<CursorInUseException>(() => client.SubscribeAsync(topic, Named));
    }

    [Fact]
    public async Task R3_after_a_crash_all_that_was_leased_is_marked()
    {
        using TemporaryFolder data = new();
        Topic topic = new("t");
        StreamId stream = new(Sha256.Hash([1]));
        using (CursorFile store = CursorFile.Open(data.Path, "c", topic))
        {
            Assert.True(store.Store.IsNew);
            await store.LeaseAsync(stream, new Sequence(5), default);
            Assert.True(store.Store.IsLeased(stream, new Sequence(5)));
            Assert.False(store.Store.MayBeRepeat(stream, new Sequence(5)));
        }

        using CursorFile file = CursorFile.Open(data.Path, "c", topic);
        CursorStore after = file.Store;
        Assert.False(after.IsNew);
        Assert.True(after.MayBeRepeat(stream, new Sequence(5)));
        Assert.False(after.MayBeRepeat(stream, new Sequence(5 + CursorStore.LeaseSlots)));
    }

    [Fact]
    public async Task R3_a_cursor_outlives_its_own_compaction()
    {
        using TemporaryFolder data = new();
        Topic topic = new("t");
        StreamId[] streams = [.. Enumerable.Range(0, 3).Select(i => new StreamId(Sha256.Hash([(byte)i])))];
        using (CursorFile store = CursorFile.Open(data.Path, "c", topic))
        {
            await store.LeaseAsync(streams[0], new Sequence(7), default);
            for (ulong i = 1; i <= 600; i++) // each a block of 4 KiB: 2.4 MiB
            {
                await store.CommitAsync(streams[i % 3], new CursorPosition(new Sequence(i), Sha256.Hash([(byte)(i % 251)])), default);
            }
        }

        using CursorFile file = CursorFile.Open(data.Path, "c", topic);
        CursorStore after = file.Store;
        Assert.Equal(new CursorPosition(new Sequence(600), Sha256.Hash([600 % 251])), after.Cursor.PositionOf(streams[0]));
        Assert.Equal(new Sequence(599), after.Cursor.PositionOf(streams[2]).Next);
        Assert.True(after.MayBeRepeat(streams[0], new Sequence(7)));
        Assert.InRange(Directory.EnumerateFiles(data.Path, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), 1, 2 * 1024 * 1024);
    }
}
