using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Witnessing;

/// <summary>S3: a witness that lags behind floors. n = 4, f = 1: three lack the slot, two of them by floor; the witness itself is one of the three.</summary>
public sealed class SkippingTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly TestWitness _witness;

    public SkippingTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(10);
        _witness = new TestWitness(_cluster);
        _witness.OnBatch(_stream[0]);
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        _witness.OnCertificate(_cluster.Certify(_stream[9].Reference));
        _witness.Flush();
        _witness.Forget();
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void S3_below_an_accepted_floor_bodies_are_skipped_and_statements_and_certificates_stored()
    {
        Name(1, 5);
        Show(4, 0);
        Assert.Empty(_witness.Journal.OfType<SkippedRecord>());
        Assert.Null(_witness.Tip);

        Name(2, 6);
        _witness.Flush();

        Assert.Equal([1UL, 2, 3, 4], _witness.Journal.OfType<SkippedRecord>().Select(record => record.Statement.Sequence.Value));
        Assert.Equal(new Sequence(5), Assert.Single(_witness.Journal.OfType<FloorRecord>()).Floor);
        Assert.Equal(new Sequence(4), _witness.Tip);

        Show(9, 5);
        _witness.Flush();
        Assert.Equal(new Sequence(4), _witness.Tip);
        _witness.OnBatch(_stream.Batches.Skip(5).ToArray());
        _witness.Flush();
        Assert.Equal(new Sequence(9), _witness.Tip);
        Assert.Empty(_witness.AckLeaves);
    }

    [Fact]
    public void S3_what_is_below_the_floor_is_asked_for_without_bodies()
    {
        Assert.False(NextFetch().IsWithoutBodies);
        Name(1, 5);
        Name(2, 5);
        FetchOrder order = NextFetch();
        Assert.Equal((new Sequence(1), new Sequence(5)), (order.From, order.BodiesFrom));
        Assert.True(order.IsWithoutBodies);

        Show(4, 0);
        _witness.Flush();
        Assert.False(NextFetch().IsWithoutBodies);
    }

    [Fact]
    public void S3_one_floor_is_not_enough_and_lacking_peers_count()
    {
        Name(1, 5);
        Show(4, 0);
        Lacks(2);
        Assert.Empty(_witness.Journal.OfType<FloorRecord>());

        // Two of the peers have it by floor, and the third by its tip: the witness need not even be counted.
        Name(3, 7);
        Assert.Equal(new Sequence(5), Assert.Single(_witness.Journal.OfType<FloorRecord>()).Floor);
    }

    [Fact]
    public void S3_where_statements_have_gone_too_the_chain_goes_on_from_a_certificate_right_below()
    {
        Name(1, 7);
        Name(2, 7);
        NameStatements(1, 4);
        Assert.Equal(new Sequence(1), NextFetch().From);
        NameStatements(3, 5);

        // The lowest one that is left; it has its certificate.
        Assert.Equal(new Sequence(4), NextFetch().From);
        Show(6, 4);
        _witness.Flush();

        JumpRecord jump = Assert.Single(_witness.Journal.OfType<JumpRecord>());
        Assert.Equal(_stream[3].Reference, jump.Certificate.Batch);
        Show(6, 4);
        _witness.Flush();
        Assert.Equal(new Sequence(6), _witness.Tip);
        Assert.Equal([4UL, 5, 6], _witness.Journal.OfType<SkippedRecord>().Select(record => record.Statement.Sequence.Value));

        _witness.Restart();
        _witness.Flush();
        _witness.Forget();
        _witness.OnCertificate(_cluster.Certify(_stream[7].Reference), _stream[7]);
        _witness.OnBatch(_stream[7]);
        _witness.Flush();
        Assert.Equal(new Sequence(7), _witness.Tip);

        // Nothing below is ever acked afresh.
        _witness.OnBatch(_stream[2], _stream[5]);
        _witness.Flush();
        Assert.Empty(_witness.AckLeaves);
    }

    [Fact]
    public void S3_fresh_acks_go_on_above_what_was_skipped()
    {
        Name(1, 10);
        Name(2, 10);
        Show(9, 0);
        _witness.Flush();
        Assert.Equal(new Sequence(9), _witness.Tip);

        _witness.OnBatch(_stream.Append());
        _witness.Flush();
        AckStatement ack = Assert.Single(_witness.AckLeaves).Statement;
        Assert.Equal((_stream[10].Reference, new Sequence(10)), (ack.Batch, ack.Base));
    }

    [Fact]
    public void S3_a_floor_without_its_proof_counts_for_nothing()
    {
        Name(1, 5);
        _witness.Do((role, effects) => role.OnFloor(
            new WitnessIndex(2), new Slot(_stream.Id, new Sequence(8)), _cluster.Certify(_stream[5].Reference), isOfStatements: false, effects));
        Show(4, 0);
        Assert.Empty(_witness.Journal.OfType<FloorRecord>());
    }

    private void Name(int peer, int floor) => _witness.Do((role, effects) => role.OnFloor(
        new WitnessIndex(peer), new Slot(_stream.Id, new Sequence((ulong)floor)), _cluster.Certify(_stream[floor - 1].Reference), isOfStatements: false, effects));

    private void NameStatements(int peer, int floor) => _witness.Do((role, effects) => role.OnFloor(
        new WitnessIndex(peer), new Slot(_stream.Id, new Sequence((ulong)floor)), _cluster.Certify(_stream[floor - 1].Reference), isOfStatements: true, effects));

    private void Lacks(int peer) => _witness.Do((role, _) => role.OnLacking(new WitnessIndex(peer), new Slot(_stream.Id, new Sequence(1))));

    /// <summary>A certificate with the statements down to a slot, no bodies.</summary>
    private void Show(int top, int from) =>
        _witness.OnCertificate(_cluster.Certify(_stream[top].Reference, (ulong)from), [.. _stream.Batches.Skip(from).Take(top - from + 1)]);

    private FetchOrder NextFetch()
    {
        _witness.Out.Fetches.Clear();
        _witness.OnTicks(120);
        return _witness.Out.Fetches[^1];
    }
}
