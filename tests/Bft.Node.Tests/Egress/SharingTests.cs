using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Egress;

public sealed class SharingTests
{
    private const int BodyBytes = 60_000;
    private const string Shared = "plain.shared";

    [Fact]
    public async Task A_subscription_serves_a_publisher_of_little_before_the_backlog_of_another()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        for (int incarnation = 1; incarnation <= 6; incarnation++)
        {
            using TestPublisher greedy = await new TestPublisher(cluster, Shared, (ulong)incarnation).ConnectAsync(0, 1, 2, 3);
            await greedy.PublishAsync(new string('x', BodyBytes));
            await greedy.PublishAsync(new string('x', BodyBytes));
        }

        using TestPublisher modest = await new TestPublisher(cluster, Shared, signer: cluster.Reader).ConnectAsync(0, 1, 2, 3);
        await modest.PublishAsync("little");

        List<StreamId> served = await ServedAsync(cluster, 13);

        Assert.InRange(served.IndexOf(modest.Header.Id), 0, 1);
    }

    [Fact]
    public async Task A_subscription_serves_publishers_by_their_weights()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        await cluster.StopAsync(0);
        string key = $"key: \"{cluster.Reader.PublicKey}\"\n";
        string yaml = await File.ReadAllTextAsync(cluster.ClusterPath);
        Assert.Contains(key, yaml, StringComparison.Ordinal);
        await File.WriteAllTextAsync(cluster.ClusterPath, yaml.Replace(key, $"{key}    weight: 3\n", StringComparison.Ordinal));
        await cluster.StartAsync(0);
        using TestPublisher light = await FilledAsync(cluster, cluster.Publisher);
        using TestPublisher heavy = await FilledAsync(cluster, cluster.Reader);

        List<StreamId> served = await ServedAsync(cluster, 16);

        Assert.InRange(served.Take(8).Count(stream => stream == heavy.Header.Id), 5, 7);
    }

    private static async Task<TestPublisher> FilledAsync(LocalCluster cluster, Ed25519Signer signer)
    {
        TestPublisher publisher = await new TestPublisher(cluster, Shared, signer: signer).ConnectAsync(0, 1, 2, 3);
        for (int batch = 0; batch < 8; batch++)
        {
            await publisher.PublishAsync(new string('x', BodyBytes));
        }

        return publisher;
    }

    /// <summary>The streams of the bodies, in the order in which a subscription gets them that begins when witness 0 has all.</summary>
    private static async Task<List<StreamId>> ServedAsync(LocalCluster cluster, int bodies)
    {
        using TestConnection connection = new(cluster, 0);
        await ReadAsync(cluster, connection, bodies);
        return await ReadAsync(cluster, connection, bodies);
    }

    private static async Task<List<StreamId>> ReadAsync(LocalCluster cluster, TestConnection connection, int bodies)
    {
        using TestCall<ISubscribeRequest, ISubscribeReply> call = await connection.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic(Shared), StartPosition.Earliest, [], WithBodies: true));
        TestReader reader = new(cluster, call);
        List<StreamId> streams = [];
        while (streams.Count < bodies)
        {
            streams.Add((await reader.NextAsync()).Slot.Stream);
        }

        return streams;
    }
}
