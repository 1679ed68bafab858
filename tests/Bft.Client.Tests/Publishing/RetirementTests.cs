using System.Collections.Concurrent;
using System.Text;
using Bft.Client.Tests.Support;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Client.Tests.Publishing;

[Collection(SharedClusterTests.Name)]
public sealed class RetirementTests(SharedCluster shared)
{
    [Fact]
    public async Task P6_a_retired_incarnation_is_followed_by_a_new_one_that_marks_what_it_repeats()
    {
        using TemporaryFolder data = new();
        ConcurrentQueue<IncarnationOpened> opened = [];
        Topic topic = Clients.NewTopic();
        await using BftClient client = shared.Cluster.Connect(data: data.Path, onNotice: notice => Remember(notice, opened));
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        await PublishAsync(publisher, "first");
        Incarnation first = publisher.Stream!.Incarnation;

        // W11: as many later ones as may live push it out.
        for (int run = 0; run < NodeLimits.Default.LiveIncarnationsMax; run++)
        {
            await using BftClient other = shared.Cluster.Connect();
            await using Publisher newcomer = await other.OpenPublisherAsync(topic, new PublisherOptions { KeepJournal = false });
            await PublishAsync(newcomer, $"other {run}");
        }

        await PublishAsync(publisher, "again");
        await PublishAsync(publisher, "and on");

        Assert.True(publisher.Stream!.Incarnation > first);
        Assert.Contains("Retired", opened.Last().Why, StringComparison.Ordinal);
        Assert.Equal(2, opened.Count);
        await using BftClient reader = shared.Cluster.Connect(shared.Cluster.Reader);
        await using Subscription subscription = await reader.SubscribeAsync(topic);
        List<(string Text, bool IsPossibleRepeat)> read = [];
        await foreach (Delivery delivery in subscription.WithCancellation(Clients.Deadline))
        {
            read.Add((Encoding.UTF8.GetString(delivery.Message.Payload.Span), delivery.IsPossibleRepeat));
            if (read.Count == NodeLimits.Default.LiveIncarnationsMax + 3)
            {
                break;
            }
        }

        Assert.Equal(["again"], read.Where(one => one.IsPossibleRepeat).Select(one => one.Text));
        Assert.Equal(["first", "again", "and on"], read.Select(one => one.Text).Where(text => !text.StartsWith("other", StringComparison.Ordinal)));
    }

    private static void Remember(ClientNotice notice, ConcurrentQueue<IncarnationOpened> opened)
    {
        if (notice is IncarnationOpened one)
        {
            opened.Enqueue(one);
        }
    }

    private static async Task PublishAsync(Publisher publisher, string text) => await publisher.PublishAsync(new Message(Encoding.UTF8.GetBytes(text)), Clients.Deadline);
}
