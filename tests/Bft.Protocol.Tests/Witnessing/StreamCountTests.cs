using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Witnessing;

public sealed class StreamCountTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestWitness _witness;

    public StreamCountTests() => _witness = new TestWitness(_cluster, limits: new NodeLimits { StreamsPerPublisherMax = 3, StreamsMax = 5 });

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void C3_a_publisher_begins_so_many_streams_and_known_ones_go_on()
    {
        TestStream[] streams = Begin(publisher: 0, count: 4);

        Refusal refusal = Assert.Single(_witness.Out.Refusals).Refusal;
        Assert.Equal((streams[3][0].Reference.Slot, RefusalReason.OverLimit), (refusal.Slot, refusal.Reason));
        Assert.Contains(IgnoreReason.TooManyStreams, _witness.Out.Ignored);
        Assert.Equal(3, _witness.Role.StreamCount);

        _witness.Forget();
        _witness.OnBatch(streams[0].Append());
        _witness.Flush();
        Assert.Empty(_witness.Out.Refusals);
        Assert.Equal(streams[0][1].Reference, Assert.Single(_witness.AckLeaves).Statement.Batch);
    }

    [Fact]
    public void C3_all_together_begin_so_many_and_a_restart_counts_the_same()
    {
        Begin(publisher: 0, count: 3);
        Begin(publisher: 1, count: 2);
        _witness.Restart();
        _witness.Flush();
        Begin(publisher: 2, count: 1);
        Assert.Equal(RefusalReason.OverLimit, Assert.Single(_witness.Out.Refusals).Refusal.Reason);
        Assert.Equal(5, _witness.Role.StreamCount);
    }

    [Fact]
    public void C3_what_is_certified_is_kept_beyond_the_bound()
    {
        TestStream[] streams = Begin(publisher: 0, count: 4);
        _witness.Forget();

        _witness.OnCertificate(_cluster.Certify(streams[3][0].Reference), streams[3][0]);
        _witness.OnBatch(streams[3][0]);
        _witness.Flush();

        Assert.Empty(_witness.Out.Refusals);
        Assert.Equal(streams[3][0].Reference, Assert.Single(_witness.Out.StoredTips).Certificate.Batch);
    }

    private TestStream[] Begin(int publisher, int count)
    {
        TestStream[] streams = [.. Enumerable.Range(0, count).Select(number => _cluster.Stream(publisher, $"topic {number}"))];
        foreach (TestStream stream in streams)
        {
            _witness.OnBatch(stream.Append());
        }

        _witness.Flush();
        return streams;
    }
}
