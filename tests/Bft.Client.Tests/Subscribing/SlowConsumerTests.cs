using Bft.Client.Tests.Support;
using Bft.Node.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Client.Tests.Subscribing;

public sealed class SlowConsumerTests
{
    [Fact]
    public async Task R6_a_slow_consumer_is_told_so_and_resumes_from_its_cursor()
    {
        await using LocalCluster cluster = new();
        for (int index = 0; index < 4; index++)
        {
            await cluster.StartAsync(index, options => options with { Edge = options.Edge with { SlowConsumerTimeout = TimeSpan.FromMilliseconds(300) } });
        }

        TaskCompletionSource<WitnessLost> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using BftClient client = cluster.Connect(onNotice: notice =>
        {
            if (notice is WitnessLost { Reason: { } reason } lost && reason.Contains("SlowConsumer", StringComparison.Ordinal))
            {
                told.TrySetResult(lost);
            }
        });
        Topic topic = Clients.NewTopic();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        const int Count = 60;
        for (int i = 0; i < Count; i++)
        {
            byte[] payload = new byte[400 * 1024];
            payload[0] = (byte)i;
            await publisher.SendAsync(new Message(payload), Clients.Deadline);
        }

        await publisher.FlushAsync(Clients.Deadline);
        await using Subscription subscription = await client.SubscribeAsync(topic, new SubscriptionOptions { QueueBytesMax = 1 });
        List<byte> read = [];
        await foreach (Delivery delivery in subscription.WithCancellation(Clients.Deadline))
        {
            read.Add(delivery.Message.Payload.Span[0]);
            if (read.Count == Count)
            {
                break;
            }

            // As slow as it takes to be told.
            await Task.WhenAny(told.Task, Task.Delay(TimeSpan.FromMilliseconds(450)));
        }

        Assert.Contains("SlowConsumer", (await told.Task.WaitAsync(LocalCluster.Patience)).Reason, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (byte)i), read);
    }
}
