using Bft.Client.Tests.Support;
using Bft.Node.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Client.Tests.Publishing;

[Collection(SharedClusterTests.Name)]
public sealed class JournalTests(SharedCluster shared)
{
    [Fact]
    public async Task P2_a_restart_goes_on_with_the_same_incarnation()
    {
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        Incarnation first = await PublishAsync(data, topic, "one", "two");

        Incarnation second = await PublishAsync(data, topic, "three");

        Assert.Equal(first, second);
        await using BftClient reader = shared.Cluster.Connect(shared.Cluster.Reader);
        await using Subscription subscription = await reader.SubscribeAsync(topic);
        Assert.Equal(["one", "two", "three"], (await subscription.ReadAsync(3)).Select(System.Text.Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task P3_what_was_signed_and_not_certified_is_sent_by_the_next_start()
    {
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        Incarnation first;
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        await using (BftClient client = cluster.Connect(data: data.Path))
        {
            await using Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { DisposeTimeout = TimeSpan.FromMilliseconds(300) });
            await publisher.PublishAsync(new Message("before"u8.ToArray()), Clients.Deadline);
            first = publisher.Stream!.Incarnation;
            await cluster.StopAsync(0);
            await cluster.StopAsync(1);
            await publisher.SendAsync(new Message("kept"u8.ToArray()), Clients.Deadline);
        }

        await cluster.StartAsync(0);
        Incarnation second = await PublishAsync(data, topic, cluster, "next");

        Assert.Equal(first, second);
        await using BftClient reader = cluster.Connect(cluster.Reader);
        await using Subscription subscription = await reader.SubscribeAsync(topic);
        Assert.Equal(["before", "kept", "next"], (await subscription.ReadAsync(3)).Select(System.Text.Encoding.UTF8.GetString));
    }

    [Fact]
    public async Task P2_a_second_run_at_the_same_time_has_an_incarnation_of_its_own()
    {
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect(data: data.Path);
        await using Publisher one = await client.OpenPublisherAsync(topic);
        await using Publisher other = await client.OpenPublisherAsync(topic);
        await one.PublishAsync(new Message("one"u8.ToArray()), Clients.Deadline);
        await other.PublishAsync(new Message("other"u8.ToArray()), Clients.Deadline);

        Assert.NotEqual(one.Stream!.Incarnation, other.Stream!.Incarnation);
        await using Subscription subscription = await client.SubscribeAsync(topic);
        Assert.Equal(["one", "other"], (await subscription.ReadAsync(2)).Select(System.Text.Encoding.UTF8.GetString).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task P2_a_journal_that_was_cut_many_times_is_short_and_goes_on()
    {
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        Message message = new(new byte[1024 * 1024]);
        Incarnation first;
        await using (BftClient client = shared.Cluster.Connect(data: data.Path))
        {
            await using Publisher publisher = await client.OpenPublisherAsync(topic);
            for (int i = 0; i < 60; i++)
            {
                await publisher.PublishAsync(message, Clients.Deadline);
            }

            first = publisher.Stream!.Incarnation;
        }

        long kept = Directory.EnumerateFiles(data.Path, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Assert.InRange(kept, 1, 36 * 1024 * 1024);
        Assert.Equal(first, await PublishAsync(data, topic, "after"));
    }

    private Task<Incarnation> PublishAsync(TemporaryFolder data, Topic topic, params string[] texts) => PublishAsync(data, topic, shared.Cluster, texts);

    private static async Task<Incarnation> PublishAsync(TemporaryFolder data, Topic topic, LocalCluster cluster, params string[] texts)
    {
        await using BftClient client = cluster.Connect(data: data.Path);
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        foreach (string text in texts)
        {
            await publisher.PublishAsync(new Message(System.Text.Encoding.UTF8.GetBytes(text)), Clients.Deadline);
        }

        return publisher.Stream!.Incarnation;
    }
}
