using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Witnessing;

public sealed class HoldingTests : IDisposable
{
    private readonly TestCluster _cluster = new(limits: new ClusterLimits { WindowSlots = 4 });
    private readonly TestStream _stream;

    public HoldingTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(12);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W4_a_link_waits_for_its_target_to_be_stored()
    {
        TestWitness witness = new(_cluster);
        TestStream linked = Linked(_stream[0], 2);
        witness.OnBatch(linked[0]);
        witness.OnBatch(_stream[0]);
        witness.Flush();
        Assert.DoesNotContain(witness.BatchRecords, record => record.Batch == linked[0]);

        witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        Assert.DoesNotContain(witness.BatchRecords, record => record.Batch == linked[0]);
        witness.Flush();
        Assert.Contains(witness.BatchRecords, record => record.Batch == linked[0]);
    }

    [Fact]
    public void W4_a_link_to_a_restored_tip_is_acked_at_once()
    {
        TestWitness witness = new(_cluster);
        witness.OnBatch(_stream[0]);
        witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        witness.Flush();
        witness.Restart();
        TestStream linked = Linked(_stream[0], 2);
        witness.OnBatch(linked[0]);

        Assert.Equal(linked[0], witness.BatchRecords.Last().Batch);
    }

    [Fact]
    public void W4_beyond_the_window_a_batch_is_refused()
    {
        TestWitness witness = new(_cluster);
        witness.OnBatch(_stream[4]);

        Assert.Equal(RefusalReason.OutOfWindow, Assert.Single(witness.Out.Refusals).Refusal.Reason);
        Assert.Equal(0, witness.Role.StreamCount);
    }

    [Fact]
    public void W4_two_batches_for_a_held_slot_prove_the_publisher_and_neither_is_acked()
    {
        TestWitness witness = new(_cluster);
        witness.OnBatch(_stream[1], _stream.Batch(1, Ancestor.Previous(_stream[0].Digest), "other"), _stream[1], _stream[0]);

        Assert.Single(witness.Out.Evidence);
        Assert.Empty(witness.BatchRecords);
    }

    [Fact]
    public void W4_lower_displaces_higher_and_the_next_always_fits()
    {
        int length = _stream[1].Body.Length;
        TestWitness witness = new(_cluster, limits: new NodeLimits { HeldBytesMax = length + 8 });
        witness.OnBatch(_stream[3], _stream[2], _stream[3]);
        Assert.Equal([IgnoreReason.HeldBytes], witness.Out.Ignored);

        TestStream other = _cluster.Stream(publisher: 1);
        other.AppendMany(2);
        TestStream linked = Linked(other[1], 2, publisher: 1);
        witness.OnBatch(linked[0]);
        witness.OnBatch(_stream[0], _stream[1]);
        Assert.Equal(2, witness.BatchRecords.Count());
        witness.OnBatch(other[0], other[1]);
        witness.OnCertificate(_cluster.Certify(other[1].Reference, 0));
        witness.Flush();
        Assert.Contains(witness.BatchRecords, record => record.Batch == linked[0]);
    }

    [Fact]
    public void C3_next_batches_of_many_streams_share_one_bound()
    {
        int length = Linked(_stream[0], 2)[0].Body.Length;
        TestWitness witness = new(_cluster, limits: new NodeLimits { HeldBytesMax = (2 * length) + 4 });
        TestStream[] linked = [.. Enumerable.Range(2, 5).Select(incarnation => Linked(_stream[0], (ulong)incarnation))];
        witness.OnBatch([.. linked.Select(stream => stream[0])]);
        witness.OnBatch(_stream[0]);
        witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        witness.Flush();

        Assert.Equal(1 + 2, witness.BatchRecords.Count());
    }

    [Fact]
    public void C3_acks_for_an_unknown_stream_count_when_it_becomes_known_and_the_oldest_overflow()
    {
        TestWitness witness = new(_cluster, limits: new NodeLimits { UnknownAcksMax = 1 });
        witness.OnAcks(_cluster.Ack(1, _stream[0].Reference));
        witness.OnAcks(_cluster.Ack(3, _stream[1].Reference), _cluster.Ack(3, _stream[0].Reference));
        Assert.Equal([IgnoreReason.UnknownAcksOverflow], witness.Out.Ignored);
        witness.OnBatch(_stream[0]);
        witness.Flush();

        Assert.Equal(Sequence.Zero, witness.Tip);
    }

    [Fact]
    public void C3_acks_that_came_before_a_certificate_made_the_stream_known_count()
    {
        TestWitness witness = new(_cluster);
        witness.OnAcks([.. _cluster.Quorum.Select(index => _cluster.Ack(index, _stream[0].Reference))]);
        witness.OnCertificate(_cluster.Certify(_stream[1].Reference, 1), _stream[1]);
        witness.OnBatch(_stream[1], _stream[0]);
        witness.Flush();

        Assert.Equal(new Sequence(1), witness.Tip);
    }

    private TestStream Linked(VerifiedBatch target, ulong incarnation, int publisher = 0)
    {
        TestStream stream = _cluster.Stream(publisher, incarnation: incarnation);
        stream.Link = Ancestor.Link(target.Statement.Statement.Header.Incarnation, target.Sequence, target.Digest);
        stream.Append("linked");
        return stream;
    }
}
