using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Ingress;

public sealed class SharingTests
{
    private const int GreedyCalls = 16;

    [Fact]
    public async Task A_batch_of_one_identity_does_not_wait_behind_all_calls_of_another()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        await cluster.StopAsync(0);
        using TestDisk disk = new(cluster.DataDirectory(0));
        EdgeLimits narrow = EdgeLimits.Default with { AdmittedBytesMin = 1, AdmittedBytesMax = 1 };
        await cluster.StartAsync(0, options => options with { Disk = _ => disk, Edge = narrow });
        await cluster.AllAckAsync();
        TestPublisher[] greedy = [.. Enumerable.Range(0, GreedyCalls).Select(call => new TestPublisher(cluster, $"plain.greedy{call}"))];
        await Task.WhenAll(greedy.Select(publisher => publisher.ConnectAsync(0)));

        // One batch is being flushed; one of each other call waits.
        disk.Hold();
        foreach (TestPublisher publisher in greedy)
        {
            await publisher.SendAsync(publisher.Append(new string('x', 50_000)));
        }

        await disk.Held;
        using TestPublisher modest = await new TestPublisher(cluster, "plain.modest", signer: cluster.Reader).ConnectAsync(0);
        await modest.SendAsync(modest.Append("little"));
        Task<Dictionary<StreamId, Mark>> modestMark = MarksAsync(cluster, modest, 1);
        disk.Release();

        // The number of its group commit says when each became durable.
        Mark mine = (await modestMark)[modest.Header.Id];
        Dictionary<StreamId, Mark> others = await MarksAsync(cluster, greedy[0], GreedyCalls);
        Assert.InRange(others.Values.Count(mark => mark < mine), 1, GreedyCalls / 2); // in the order of arrival all; two would be enough, but its batch may still be on its way when the disk is released
        Array.ForEach(greedy, publisher => publisher.Dispose());
    }

    [Fact]
    public async Task Where_several_turns_end_at_once_the_next_ones_are_shared_by_weights()
    {
        const int Batches = 60;
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        await cluster.StopAsync(0);
        string yaml = await File.ReadAllTextAsync(cluster.ClusterPath);
        await File.WriteAllTextAsync(cluster.ClusterPath, yaml.Replace("name: \"publisher\"\n", "name: \"publisher\"\n    weight: 4\n", StringComparison.Ordinal));
        using TestDisk disk = new(cluster.DataDirectory(0));
        EdgeLimits narrow = EdgeLimits.Default with { AdmittedBytesMin = 40_000, AdmittedBytesMax = 40_000 };
        await cluster.StartAsync(0, options => options with { Disk = _ => disk, Edge = narrow });
        await cluster.AllAckAsync();
        TestPublisher[] both = [new TestPublisher(cluster, "plain.heavy"), new TestPublisher(cluster, "plain.light", signer: cluster.Reader)];
        await Task.WhenAll(both.Select(publisher => publisher.ConnectAsync(0)));

        disk.Hold();
        await Task.WhenAll(both.Select(SendAllAsync)); // what does not wait at the gate lies in the transport's windows
        disk.Release();
        List<Mark>[] marks = await Task.WhenAll(both.Select(publisher => MarksOfAsync(cluster, publisher, Batches)));

        Assert.InRange(marks[1].Count(mark => mark <= marks[0][^1]), 12, 21); // 15, and what is in one commit; with one frame of each waiting 25 to 50
        Array.ForEach(both, publisher => publisher.Dispose());

        async Task SendAllAsync(TestPublisher publisher)
        {
            for (int i = 0; i < Batches; i++)
            {
                await publisher.SendAsync(publisher.Append(new string('x', 10_000)));
            }
        }
    }

    /// <summary>The numbers of the group commits that made a publisher's batches durable, in their order.</summary>
    private static async Task<List<Mark>> MarksOfAsync(LocalCluster cluster, TestPublisher publisher, int batches)
    {
        List<Mark> marks = [];
        await foreach ((StreamId stream, Mark mark) in AcksAsync(cluster, publisher))
        {
            if (stream == publisher.Header.Id)
            {
                marks.Add(mark);
            }

            if (marks.Count == batches)
            {
                break;
            }
        }

        return marks;
    }

    /// <summary>The same of the first batch of each stream.</summary>
    private static async Task<Dictionary<StreamId, Mark>> MarksAsync(LocalCluster cluster, TestPublisher publisher, int streams)
    {
        Dictionary<StreamId, Mark> marks = [];
        await foreach ((StreamId stream, Mark mark) in AcksAsync(cluster, publisher))
        {
            marks.TryAdd(stream, mark);
            if (marks.Count == streams)
            {
                break;
            }
        }

        return marks;
    }

    /// <summary>The acks that a publisher is sent, for ever.</summary>
    private static async IAsyncEnumerable<(StreamId Stream, Mark Mark)> AcksAsync(LocalCluster cluster, TestPublisher publisher)
    {
        while (true)
        {
            IPublishReply? reply = await publisher.Calls[0].NextRawAsync(frame => frame is AcksFrame);
            Assert.True(AckBundle.TryParse(cluster.Committee.Cluster, ((AcksFrame)reply!).Bundle.Span, out AckBundle? bundle));
            foreach (AckLeaf leaf in bundle.Leaves)
            {
                yield return (leaf.Statement.Batch.Stream, bundle.Root.Mark);
            }
        }
    }
}
