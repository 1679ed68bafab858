using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Storage.Tests;

/// <summary>S2: what retention looks at when it decides, and that it misses nothing.</summary>
public sealed class RetentionLookTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly SimulatedDisk _disk = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void S2_a_look_at_many_idle_streams_costs_no_more_than_at_few()
    {
        BatchStore store = IdleStreams(20_000, topics: 1);
        Retention retention = new(store, _ => new RetentionPolicy { Bytes = long.MaxValue, Age = TimeSpan.FromDays(1) });
        retention.Start();
        Assert.Empty(retention.Decide(2000));

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Empty(retention.Decide(3000));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000); // less than a byte of each
    }

    [Fact]
    public void S2_streams_are_put_in_order_by_the_start_and_not_by_the_first_look()
    {
        TestStream[] streams = [.. Enumerable.Range(1, TopicStreams.FewMax + 1).Select(number => _cluster.Stream(publisher: number % 3, incarnation: (ulong)number))];
        using (StoringWitness witness = new(_cluster, _disk))
        {
            foreach (TestStream stream in streams)
            {
                VerifiedBatch batch = stream.Append();
                witness.OnBatch(batch);
                witness.Certify(_cluster, batch);
                witness.Pass(2000);
            }

            Assert.Null(Assert.Single(witness.Store.Topics).Bodies);
        }

        BatchStore store = new();
        WitnessRole role = new(_cluster.Committee, new WitnessIndex(0), _cluster.SignerOf(new WitnessIndex(0)), NodeLimits.Default);
        JournalOptions options = new() { NewId = new JournalId(7), SegmentBytes = 4096 };
        using WitnessJournal journal = WitnessJournal.Open(_disk, options, _cluster.Committee, new WitnessIndex(0), Ed25519.Instance, role, store, _ => new RetentionPolicy { Bytes = 1 });
        Assert.Equal(streams[0].Id, Assert.Single(store.Topics).Bodies?.Oldest?.Log.Header.Id);
    }

    [Fact]
    public void S2_a_policy_that_changes_reaches_idle_topics_in_turn()
    {
        BatchStore store = IdleStreams(3 * Retention.TopicsInTurn, topics: 3 * Retention.TopicsInTurn);
        RetentionPolicy policy = RetentionPolicy.KeepAll;
        Retention retention = new(store, _ => policy);
        Assert.Empty(retention.Decide(2000));
        policy = new RetentionPolicy { Bytes = 0 };

        List<Cut> cuts = [.. retention.Decide(3000), .. retention.Decide(4000), .. retention.Decide(5000)];
        Assert.Equal(3 * Retention.TopicsInTurn, cuts.Select(cut => cut.Log).Distinct().Count());
        Assert.All(cuts, cut => Assert.Equal(new Sequence(1), cut.Floor));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void S2_the_oldest_go_first_and_no_more_than_must_whatever_comes_when(int seed)
    {
        Random random = new(seed);
        RetentionPolicy policy = seed % 2 == 0 ? new() { Bytes = 5000 } : new() { Bytes = 9000, Age = TimeSpan.FromSeconds(40), HistoryAge = TimeSpan.FromSeconds(90) };
        Dictionary<(StreamId Stream, ulong Top), long> stored = []; // bytes of each range; what is cut and moved has no length any more
        HashSet<(StreamId Stream, ulong Top)> gone = [];
        TestStream[] streams = [.. Enumerable.Range(0, 15).Select(number => _cluster.Stream(publisher: number % 3, topic: number < 3 ? "few" : "many", incarnation: (ulong)number + 1))];
        for (ulong run = 1; run <= 3; run++)
        {
            using StoringWitness witness = new(_cluster, _disk, policy, run: run);
            for (int step = 0; step < 40; step++)
            {
                TestStream stream = streams[random.Next(random.Next(3) == 0 ? 3 : 15)];
                VerifiedBatch[] batches = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => stream.Append(new string('x', random.Next(900))))];
                stored.Add((stream.Id, batches[^1].Sequence.Value), batches.Sum(batch => (long)batch.Body.Length));
                witness.OnBatch(batches);
                witness.Certify(_cluster, batches[^1], batches[0].Sequence.Value);
                witness.Pass(random.Next(4) == 0 ? 15_000 : 1100);
                foreach (IGrouping<string, StreamLog> topic in witness.Store.Streams.GroupBy(log => log.Header.Topic.Name))
                {
                    Check([.. topic], policy, stored, gone);
                }
            }

            witness.Journal.Checkpoint(witness.Role);
        }

        Assert.NotEmpty(gone);
    }

    private static void Check(StreamLog[] topic, RetentionPolicy policy, Dictionary<(StreamId Stream, ulong Top), long> stored, HashSet<(StreamId Stream, ulong Top)> gone)
    {
        List<(long StoredAt, StreamId Stream, ulong Top)> kept = [];
        List<(long StoredAt, StreamId Stream, ulong Top)> cut = [];
        foreach (StreamLog log in topic)
        {
            for (long i = 0; i < log.Index.Certificates.Count; i++)
            {
                StoredCertificate range = log.Index.Certificates[i];
                (range.Top < log.Floor.Value ? cut : kept).Add((range.StoredAt, log.Header.Id, range.Top));
            }
        }

        long bytes = kept.Sum(range => stored[(range.Stream, range.Top)]);
        Assert.True(bytes <= policy.Bytes);
        Assert.Equal(bytes, topic.Sum(log => log.BodyBytes));
        Assert.Equal(bytes, topic[0].Streams!.BodyBytes);
        (long StoredAt, StreamId Stream, ulong Top)[] justCut = [.. cut.Where(range => gone.Add((range.Stream, range.Top))).Order()];
        if (policy.Age is null && justCut.Length > 0)
        {
            // Without the last cut it was too much.
            Assert.True(bytes + stored[(justCut[^1].Stream, justCut[^1].Top)] > policy.Bytes);
        }

        if (cut.Count > 0 && kept.Count > 0)
        {
            Assert.True(cut.Max(range => range.StoredAt) <= kept.Min(range => range.StoredAt));
        }
    }

    /// <summary>One batch in each.</summary>
    private BatchStore IdleStreams(int count, int topics)
    {
        BatchStore store = new();
        StreamHeader any = _cluster.Stream().Header;
        for (int i = 0; i < count; i++)
        {
            StreamHeader header = new(any.Cluster, any.Publisher, new Topic($"topic {i % topics}"), new Incarnation((ulong)i + 1, 1));
            StreamIndex index = new(Sequence.Zero);
            index.Slots.Add(new StoredSlot(1, (uint)i, 7, BodyLength: 200, 9));
            index.Certificates.Add(new StoredCertificate(0, 1000, new JournalPosition(1, i, 1200, 3)));
            store.Restore(new StoredStream(header, index, Sequence.Zero, new StreamTip(Sequence.Zero, Sha256.Hash("a batch"u8), isSigned: true, null)));
        }

        return store;
    }
}
