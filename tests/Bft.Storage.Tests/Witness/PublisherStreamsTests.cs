using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;

namespace Bft.Storage.Tests;

/// <summary>P7: what a publisher asks for is found without looking at the streams of others.</summary>
public sealed class PublisherStreamsTests : IDisposable
{
    private const int Streams = 2000;

    private readonly TestCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void P7_a_publishers_streams_in_a_topic_are_found_newest_first(int seed)
    {
        Random random = new(seed);
        StreamHeader any = _cluster.Stream().Header;
        PublicKey[] publishers = [.. Enumerable.Range(0, 5).Select(_ => Key(random))];
        Topic[] topics = [new("one"), new("on"), new("other")];
        BatchStore store = new();
        for (int i = 0; i < Streams; i++)
        {
            Incarnation incarnation = new((ulong)random.Next(1000), (ulong)i);
            StreamHeader header = new(any.Cluster, publishers[random.Next(random.Next(1, 5))], topics[random.Next(3)], incarnation);
            store.Restore(new StoredStream(header, new StreamIndex(Sequence.Zero), Sequence.Zero, null)); // nothing is stored in it
            if (random.Next(10) == 0)
            {
                StreamLog[] all = [.. store.Streams];
                store.Forget(all[random.Next(all.Length)].Header.Id);
            }

            // The first half comes as in a replay, before anybody asks.
            if (i > Streams / 2 && i % 50 == 0)
            {
                Check(store, topics, publishers);
            }
        }

        Check(store, topics, publishers);
    }

    private static void Check(BatchStore store, Topic[] topics, PublicKey[] publishers)
    {
        foreach ((Topic topic, PublicKey publisher) in topics.SelectMany(topic => publishers.Select(publisher => (topic, publisher))))
        {
            Assert.Equal(
                store.Streams.Where(log => log.Header.Topic == topic && log.Header.Publisher == publisher).OrderByDescending(log => log.Header.Incarnation),
                store.StreamsOf(topic, publisher));
        }
    }

    private static PublicKey Key(Random random)
    {
        byte[] bytes = new byte[PublicKey.Length];
        random.NextBytes(bytes);
        bytes[^1] = (byte)random.Next(2); // so that some share a part of the table
        bytes.AsSpan(PublicKey.Length - 5, 4).Clear();
        return new PublicKey(bytes);
    }
}
