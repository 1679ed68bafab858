using System.Text;
using Bft.Client.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Client.Tests;

[Collection(SharedClusterTests.Name)]
public sealed class PublishSubscribeTests(SharedCluster shared)
{
    [Fact]
    public async Task A_question_that_the_caller_gives_up_ends_as_cancelled()
    {
        await using BftClient client = shared.Cluster.Connect(shared.Cluster.Reader);
        using CancellationTokenSource over = new();
        Task<WitnessHealth[]> asked = client.GetStatusAsync(over.Token);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    [Fact]
    public async Task R7_history_and_live_arrive_in_order_byte_for_byte()
    {
        Topic topic = Clients.NewTopic();
        await using BftClient writer = shared.Cluster.Connect();
        await using BftClient reader = shared.Cluster.Connect(shared.Cluster.Reader);
        await using Publisher publisher = await writer.OpenPublisherAsync(topic);
        byte[][] payloads = [.. Enumerable.Range(0, 400).Select(PayloadOf)];
        for (int i = 0; i < 200; i++)
        {
            await publisher.SendAsync(new Message(payloads[i]), Clients.Deadline);
        }

        await publisher.FlushAsync(Clients.Deadline);
        await using Subscription subscription = await reader.SubscribeAsync(topic);
        Task<List<byte[]>> reading = subscription.ReadAsync(400);
        for (int i = 200; i < 400; i++)
        {
            await publisher.SendAsync(new Message(payloads[i]), Clients.Deadline);
        }

        Assert.Equal(payloads, await reading);
    }

    [Fact]
    public async Task All_parts_of_a_message_arrive()
    {
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        Message sent = new("payload"u8.ToArray())
        {
            Subject = "subject",
            ContentType = "text/plain",
            Key = "key"u8.ToArray(),
            Headers = [new MessageHeader("name", "value"u8.ToArray())],
        };
        PublishedMessage published = await publisher.PublishAsync(sent, Clients.Deadline);

        await using Subscription subscription = await client.SubscribeAsync(topic);
        await foreach (Delivery delivery in subscription.WithCancellation(Clients.Deadline))
        {
            Assert.Equal("payload", Encoding.UTF8.GetString(delivery.Message.Payload.Span));
            Assert.Equal("subject", delivery.Message.Subject);
            Assert.Equal("text/plain", delivery.Message.ContentType);
            Assert.Equal("key", Encoding.UTF8.GetString(delivery.Message.Key.Span));
            Assert.Equal("value", Encoding.UTF8.GetString(Assert.Single(delivery.Message.Headers!).Value.Span));
            Assert.Equal(DecodeError.None, delivery.Error);
            Assert.Equal((published.Sequence, published.Position), (delivery.Sequence, delivery.Position));
            Assert.Equal((client.Identity, publisher.Stream!.Incarnation), (delivery.Publisher, delivery.Incarnation));
            break;
        }
    }

    [Fact]
    public async Task A_large_message_and_many_small_ones_share_the_stream()
    {
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        byte[] large = new byte[1024 * 1024];
        Random.Shared.NextBytes(large);
        await publisher.SendAsync(new Message("first"u8.ToArray()), Clients.Deadline);
        await publisher.SendAsync(new Message(large), Clients.Deadline);
        await publisher.SendAsync(new Message("last"u8.ToArray()), Clients.Deadline);

        await using Subscription subscription = await client.SubscribeAsync(topic);
        Assert.Equal([[.. "first"u8], large, [.. "last"u8]], await subscription.ReadAsync(3));
    }

    [Fact]
    public async Task Latest_leaves_out_what_was_certified_before()
    {
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        await publisher.PublishAsync(new Message("old"u8.ToArray()), Clients.Deadline);
        await WaitForTipsAsync(client, publisher.Stream!.Id);

        await using Subscription subscription = await client.SubscribeAsync(topic, new SubscriptionOptions { From = StartFrom.Latest }, Clients.Deadline);
        await publisher.PublishAsync(new Message("new"u8.ToArray()), Clients.Deadline);

        Assert.Equal([[.. "new"u8]], await subscription.ReadAsync(1));
    }

    [Fact]
    public async Task A_caller_may_reuse_its_buffer_once_a_message_is_accepted()
    {
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        byte[] buffer = new byte[1];
        for (byte i = 0; i < 50; i++)
        {
            buffer[0] = i;
            await publisher.SendAsync(new Message(buffer), Clients.Deadline);
        }

        await using Subscription subscription = await client.SubscribeAsync(topic);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => new[] { (byte)i }), await subscription.ReadAsync(50));
    }

    [Fact]
    public async Task A_topic_without_a_policy_is_refused_by_name()
    {
        await using BftClient client = shared.Cluster.Connect();

        PublishRefusedException publish = await Assert.ThrowsAsync<PublishRefusedException>(() => client.OpenPublisherAsync(new Topic("nowhere")));
        SubscriptionRefusedException read = await Assert.ThrowsAsync<SubscriptionRefusedException>(() => client.SubscribeAsync(new Topic("nowhere")));

        Assert.Equal(RefusalReason.UnknownTopic, publish.Reason);
        Assert.Contains("nowhere", publish.Message, StringComparison.Ordinal);
        Assert.Contains("nowhere", read.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_witness_tells_its_status()
    {
        await using BftClient client = shared.Cluster.Connect();

        WitnessHealth[] health = await client.GetStatusAsync(Clients.Deadline);

        Assert.Equal(4, health.Length);
        Assert.All(health, one => Assert.Equal(one.Witness, Assert.IsType<Bft.Wire.Frames.StatusFrame>(one.Status).Witness));
    }

    [Fact]
    public async Task Cancellation_ends_a_read_that_waits()
    {
        await using BftClient client = shared.Cluster.Connect();
        await using Subscription subscription = await client.SubscribeAsync(Clients.NewTopic());
        using CancellationTokenSource cancelled = new();
        await using IAsyncEnumerator<DeliveredBatch> reading = subscription.ReadBatchesAsync(cancelled.Token).GetAsyncEnumerator();
        ValueTask<bool> waiting = reading.MoveNextAsync();

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.AsTask());
    }

    private static byte[] PayloadOf(int i)
    {
        byte[] payload = new byte[i % 7 == 0 ? 0 : i * 37];
        new Random(i).NextBytes(payload);
        return payload;
    }

    /// <summary>Until n − f witnesses have stored what is certified.</summary>
    private static async Task WaitForTipsAsync(BftClient client, StreamId stream)
    {
        CancellationToken deadline = Clients.Deadline;
        while (true)
        {
            WitnessHealth[] health = await client.GetStatusAsync(deadline);
            if (health.All(one => one.Status?.Streams.Any(status => status.Stream == stream && status.Tip is not null) ?? false))
            {
                return;
            }
        }
    }
}
