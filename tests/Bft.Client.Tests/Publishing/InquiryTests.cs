using System.Text;
using Bft.Client.Tests.Support;
using Bft.Node.Tests.Support;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Client.Tests.Publishing;

/// <summary>P7 with real witnesses: what a publisher learns of its earlier runs before it signs anything.</summary>
public sealed class InquiryTests
{
    private static readonly PublisherOptions NoJournal = new() { KeepJournal = false, DisposeTimeout = TimeSpan.FromMilliseconds(300) };

    [Fact]
    public async Task P7_nothing_is_signed_before_n_minus_f_witnesses_have_answered()
    {
        await using LocalCluster cluster = new();
        await cluster.StartAsync(0);
        await cluster.StartAsync(1);
        TaskCompletionSource<WitnessesAsked> said = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using BftClient client = cluster.Connect(onNotice: notice => _ = notice is WitnessesAsked asked && said.TrySetResult(asked));
        Topic topic = Clients.NewTopic();
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        PublishTicket ticket = await publisher.SendAsync(new Message("waits"u8.ToArray()), Clients.Deadline);

        Assert.Equal(new WitnessesAsked(topic, 2, 3), await said.Task.WaitAsync(LocalCluster.Patience));
        Assert.Null(publisher.Stream);
        await cluster.StartAsync(2);

        await ticket.Certified.WaitAsync(LocalCluster.Patience);
        Assert.NotNull(publisher.Stream);
    }

    [Fact]
    public async Task P7_a_journal_put_back_to_an_older_state_is_not_continued()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        Incarnation first = await PublishAsync(cluster, data, topic, "first");
        data.Save();
        Assert.Equal(first, await PublishAsync(cluster, data, topic, "second"));
        data.Restore();

        Incarnation next = await PublishAsync(cluster, data, topic, "third");

        Assert.True(next > first);
        Assert.Equal(["first", "second", "third"], await ReadAsync(cluster, topic, 3));
        Assert.Equal(next, await PublishAsync(cluster, data, topic, "fourth"));
    }

    [Fact]
    public async Task P7_a_journal_with_a_torn_tail_is_not_continued()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TemporaryFolder data = new();
        Topic topic = Clients.NewTopic();
        Incarnation first = await PublishAsync(cluster, data, topic, "first");
        string segment = Directory.EnumerateFiles(data.Path, "*", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length > 0).Order(StringComparer.Ordinal).Last();
        await File.AppendAllTextAsync(segment, new string('x', 8 * 1024)); // half of a commit

        Incarnation next = await PublishAsync(cluster, data, topic, "second");

        Assert.True(next > first);
        Assert.Equal(["first", "second"], await ReadAsync(cluster, topic, 2));
    }

    [Fact]
    public async Task P7_without_a_journal_the_next_run_is_linked_to_the_last()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        Topic topic = Clients.NewTopic();
        await using BftClient client = cluster.Connect();
        string[] texts = [.. Enumerable.Range(0, 5).Select(run => $"run {run}")];
        foreach (string text in texts)
        {
            StreamId stream;
            await using (Publisher publisher = await client.OpenPublisherAsync(topic, NoJournal))
            {
                await publisher.PublishAsync(new Message(Encoding.UTF8.GetBytes(text)), Clients.Deadline);
                stream = publisher.Stream!.Id;
            }

            // A publish is complete when its publisher holds the certificate (P5): the witnesses, whom the next run asks, may store it later.
            for (int witness = 0; witness < cluster.File.Witnesses.Count; witness++)
            {
                await ToldAsync(cluster, topic, witness, standing =>
                    standing.Certificates.Any(bytes => QuorumCertificate.TryParse(bytes.Span, out QuorumCertificate? tip) && tip.Batch.Stream == stream));
            }
        }

        BatchStatement[] runs = [];
        await ShownAsync(cluster, topic, witness: 0, shown => (runs = [.. shown.OrderBy(batch => batch.Header.Incarnation)]).Length == texts.Length);
        Ancestor[] links = [default, .. runs.SkipLast(1).Select(before => Ancestor.Link(before.Header.Incarnation, Sequence.Zero, before.Digest))];
        Assert.Equal(links, runs.Select(run => run.Ancestor));
        Assert.Equal(texts, await ReadAsync(cluster, topic, texts.Length));
    }

    [Fact]
    public async Task P7_what_one_witness_alone_has_of_a_run_without_a_journal_is_finished_beside_the_next()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        Topic topic = Clients.NewTopic();
        await using BftClient client = cluster.Connect();
        await using (Publisher publisher = await client.OpenPublisherAsync(topic, NoJournal))
        {
            await publisher.PublishAsync(new Message("certified"u8.ToArray()), Clients.Deadline);
            await cluster.StopAsync(0);
            await cluster.StopAsync(1);
            await cluster.StopAsync(2);
            await publisher.SendAsync(new Message("half way"u8.ToArray()), Clients.Deadline);
            await ShownAsync(cluster, topic, witness: 3, shown => shown.Any(batch => batch.Sequence == new Sequence(1)));
        }

        for (int witness = 0; witness < 3; witness++)
        {
            await cluster.StartAsync(witness);
        }

        await using Publisher next = await client.OpenPublisherAsync(topic, NoJournal);
        await next.PublishAsync(new Message("next"u8.ToArray()), Clients.Deadline);

        Assert.Equal(["certified", "half way", "next"], (await ReadAsync(cluster, topic, 3)).Order(StringComparer.Ordinal));
    }

    private static async Task<Incarnation> PublishAsync(LocalCluster cluster, TemporaryFolder data, Topic topic, string text)
    {
        await using BftClient client = cluster.Connect(data: data.Path);
        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        await publisher.PublishAsync(new Message(Encoding.UTF8.GetBytes(text)), Clients.Deadline);
        return publisher.Stream!.Incarnation;
    }

    private static async Task<string[]> ReadAsync(LocalCluster cluster, Topic topic, int count)
    {
        await using BftClient reader = cluster.Connect(cluster.Reader);
        await using Subscription subscription = await reader.SubscribeAsync(topic);
        return [.. (await subscription.ReadAsync(count)).Select(Encoding.UTF8.GetString)];
    }

    /// <summary>Asks a witness until what it shows of us is enough.</summary>
    private static Task ShownAsync(LocalCluster cluster, Topic topic, int witness, Predicate<BatchStatement[]> isEnough) =>
        ToldAsync(cluster, topic, witness, standing => isEnough([.. standing.Originals.Select(original =>
            BatchStatement.TryParse(cluster.Committee.Cluster, original.Bytes.Span, out BatchStatement? statement, out _) ? statement : throw new InvalidOperationException("No statement."))]));

    private static async Task ToldAsync(LocalCluster cluster, Topic topic, int witness, Predicate<StandingFrame> isEnough)
    {
        using WitnessConnection connection = new(cluster.File.Witnesses[witness], ClusterLimits.Default, TimeSpan.FromSeconds(5), _ => { });
        using AsyncDuplexStreamingCall<IPublishRequest, IPublishReply> call = connection.Publishing.Client.Publish(new CallOptions(cancellationToken: Clients.Deadline));
        await new Session(cluster.Committee.Cluster, cluster.Publisher).OpenAsync(call, connection.Publishing, Clients.Deadline);
        StandingFrame? standing = null;
        while (standing is null || !isEnough(standing))
        {
            await call.RequestStream.WriteAsync(new InquiryFrame(topic));
            do
            {
                Assert.True(await call.ResponseStream.MoveNext(Clients.Deadline));
            }
            while (call.ResponseStream.Current is not StandingFrame);
            standing = (StandingFrame)call.ResponseStream.Current;
        }
    }
}
