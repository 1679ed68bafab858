using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;

namespace Bft.Storage.Tests;

/// <summary>The table of all streams.</summary>
public sealed class BatchStoreTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly BatchStore _store = new();

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void It_holds_the_streams_that_a_sorted_dictionary_would(int seed)
    {
        Random random = new(seed);
        SortedSet<StreamId> expected = [];
        StreamHeader[] headers = Headers(700 * seed);
        for (int step = 0; step < 6000; step++)
        {
            StreamHeader header = headers[random.Next(headers.Length)];
            if (random.Next(5) < 3)
            {
                expected.Add(header.Id);
                Restore(header);
            }
            else
            {
                expected.Remove(header.Id);
                _store.Forget(header.Id);
            }

            Assert.Equal(expected.Count, _store.StreamCount);
            Assert.Equal(expected.Contains(header.Id), _store.TryFind(header.Id, out StreamLog? log));
            Assert.Equal(log?.Header.Id, log is null ? null : header.Id);
            if (step % 200 == 0)
            {
                Assert.Equal(expected, _store.Streams.Select(stream => stream.Header.Id));
                Assert.All(expected, id => Assert.True(_store.TryFind(id, out _)));
            }
        }
    }

    [Fact]
    public async Task Who_reads_meanwhile_finds_all_that_was_there_before()
    {
        StreamHeader[] headers = Headers(20_000);
        int added = 0;
        Task reading = Task.Run(() =>
        {
            Random random = new(1);
            while (Volatile.Read(ref added) is var known && known < headers.Length)
            {
                for (int i = 0; i < Math.Min(known, 100); i++)
                {
                    StreamId id = headers[random.Next(known)].Id;
                    Assert.True(_store.TryFind(id, out StreamLog? log) && log.Header.Id == id);
                }

                Assert.True(_store.Streams.Count() >= known);
            }
        });
        foreach (StreamHeader header in headers)
        {
            Restore(header);
            Volatile.Write(ref added, added + 1);
        }

        await reading;
    }

    private void Restore(StreamHeader header) => _store.Restore(new StoredStream(header, new StreamIndex(Sequence.Zero), Sequence.Zero, null));

    private StreamHeader[] Headers(int count)
    {
        StreamHeader any = _cluster.Stream().Header;
        return [.. Enumerable.Range(1, count).Select(number => new StreamHeader(any.Cluster, any.Publisher, any.Topic, new Incarnation((ulong)number, 1)))];
    }
}
