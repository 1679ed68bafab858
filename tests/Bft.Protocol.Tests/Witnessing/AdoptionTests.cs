using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Witnessing;

public sealed class AdoptionTests : IDisposable
{
    private readonly TestCluster _cluster = new(limits: new ClusterLimits { WindowSlots = 4 });
    private readonly TestStream _stream;
    private readonly TestWitness _witness;
    private readonly VerifiedBatch _otherFirst;

    public AdoptionTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(12);
        _otherFirst = _stream.Batch(0, Ancestor.None, "other");
        _witness = new TestWitness(_cluster);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W5_after_adoption_over_an_own_ack_the_base_is_the_slot()
    {
        AdoptOverOwnAck(_witness);
        _witness.OnBatch(_stream[1], _stream[2]);

        Assert.Equal([1, 1], _witness.BatchRecords.Skip(2).Select(record => (int)record.AckBase!.Value.Value));
    }

    [Fact]
    public void W5_after_adoption_and_a_restart_the_base_is_the_slot()
    {
        AdoptOverOwnAck(_witness);
        _witness.Restart();
        _witness.OnBatch(_stream[1]);

        Assert.Equal(new Sequence(1), _witness.BatchRecords.Last().AckBase);
    }

    [Fact]
    public void W5_the_chain_continues_from_the_covered_batch_only()
    {
        AdoptOverOwnAck(_witness);
        _witness.OnBatch(_stream.Batch(1, Ancestor.Previous(_otherFirst.Digest), "on the other"));

        Assert.Equal(2, _witness.BatchRecords.Count());
    }

    [Fact]
    public void W5_a_covered_batch_is_stored_and_not_acked()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        _witness.OnBatch(_stream[0]);
        _witness.Flush();

        Assert.Null(Assert.Single(_witness.BatchRecords).AckBase);
        Assert.Empty(_witness.AckLeaves);
        Assert.Equal(Sequence.Zero, _witness.Tip);
    }

    [Fact]
    public void W5_a_slot_that_a_certificate_reaches_is_not_acked_before_its_batch_there_is_known()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[2].Reference, 0));
        _witness.OnBatch(_otherFirst);
        Assert.Empty(_witness.BatchRecords);

        _witness.OnBatch(_stream[1], _stream[2]);
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        Assert.All(_witness.BatchRecords, record => Assert.Null(record.AckBase));
        Assert.Equal(new Sequence(2), _witness.Tip);
    }

    [Theory]
    [InlineData(0, 1, 2, 3)]
    [InlineData(3, 2, 1, 0)]
    [InlineData(2, 0, 3, 1)]
    public void W5_covered_batches_may_come_in_any_order(int a, int b, int c, int d)
    {
        _witness.OnCertificate(_cluster.Certify(_stream[3].Reference, 2));
        _witness.OnCertificate(_cluster.Certify(_stream[1].Reference, 0));
        _witness.OnBatch(_stream[a], _stream[b], _stream[c], _stream[d]);
        _witness.Flush();

        Assert.Equal(new Sequence(3), _witness.Tip);
        Assert.Equal(4, _witness.BatchRecords.Count());
    }

    [Fact]
    public void W5_a_statement_beside_the_certificate_takes_no_slot()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[2].Reference, 2), _otherFirst, _stream[2]);
        _witness.OnCertificate(_cluster.Certify(_stream[1].Reference, 0), _stream[0], _stream[1]);
        _witness.OnBatch(_stream[0], _stream[1], _stream[2]);
        _witness.Flush();

        Assert.Equal(new Sequence(2), _witness.Tip);
        Assert.Empty(_witness.Out.Evidence);
    }

    [Fact]
    public void W5_after_a_crash_before_the_certificate_only_the_batch_that_was_covered_may_be_acked()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[1].Reference, 0));
        _witness.OnBatch(_stream[1]);
        _witness.OnBatch(_stream[0]);
        _witness.Restart(2);
        Assert.DoesNotContain(_witness.Journal, record => record is CertificateRecord);
        Assert.Equal([null, null], _witness.BatchRecords.Select(record => record.AckBase));

        TestWitness honest = _witness;
        honest.OnBatch(_stream[0], _stream[1]);
        honest.Flush();
        Assert.Equal([_stream[0].Reference, _stream[1].Reference], honest.AckLeaves.Select(leaf => leaf.Statement.Batch));
    }

    [Fact]
    public void W5_after_a_crash_before_the_certificate_another_batch_is_not_acked()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        Assert.True(_cluster.Batches.TryVerifyCovered(_stream[0].Statement.Statement.Bytes.Span, default, _stream[0].Digest, out VerifiedStatement? unsigned, out _));
        Assert.True(_cluster.Batches.TryVerifyBody(unsigned, _stream[0].Body, null, out VerifiedBatch? fetched, out _));
        _witness.OnBatch(fetched);
        _witness.Restart(1);
        _witness.OnBatch(_otherFirst);

        Assert.Single(_witness.BatchRecords);
    }

    [Fact]
    public void W7_no_tip_before_certificate_and_bodies_are_durable()
    {
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        _witness.OnPeer(1);
        _witness.OnTicks(20);
        _witness.Seal();
        _witness.OnPeer(1);
        Assert.Empty(_witness.Out.StoredTips);
        Assert.Empty(_witness.Out.PeerTips);

        _witness.Durable();
        _witness.OnTicks(20);
        Assert.Single(_witness.Out.StoredTips);
        Assert.Single(_witness.Out.PeerTips);
    }

    [Fact]
    public void W7_no_tip_above_a_missing_body()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[2].Reference, 0), _stream[0], _stream[1], _stream[2]);
        _witness.OnBatch(_stream[0], _stream[2]);
        _witness.Flush();
        Assert.Null(_witness.Tip);

        _witness.OnBatch(_stream[1]);
        _witness.Flush();
        Assert.Equal(new Sequence(2), _witness.Tip);
    }

    [Fact]
    public void W9_a_restart_leads_to_the_same_tip_and_writes_nothing_again()
    {
        AdoptOverOwnAck(_witness);
        _witness.OnBatch(_stream[1], _stream[2]);
        _witness.OnCertificate(_cluster.Certify(_stream[1].Reference, 1));
        _witness.Flush();
        int length = _witness.Journal.Count;
        _witness.Forget();
        _witness.Restart();
        _witness.Restart();

        Assert.Equal(length + 1, _witness.Journal.Count);
        _witness.Flush();
        Assert.Equal(new Sequence(2), Assert.Single(_witness.AckLeaves).Statement.Batch.Sequence);
        Assert.Equal(new Run(3), _witness.Out.PeerAcks[0].Root.Run);
    }

    [Fact]
    public void W9_restored_acks_are_shown_only_when_the_new_run_is_durable()
    {
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        _witness.Forget();
        _witness.Restart();
        _witness.OnBatch(_stream[0], _otherFirst);
        _witness.OnPeer(1);
        Assert.Empty(_witness.Out.PublisherAcks);
        Assert.Empty(_witness.Out.PeerResends);
        Assert.Empty(_witness.Out.Refusals);

        _witness.Flush();
        Assert.Single(_witness.Out.PeerAcks);
        Assert.Single(_witness.Out.Refusals);
        Assert.Empty(_witness.BatchRecords.Skip(1));
    }

    [Fact]
    public void W8_a_fetch_goes_from_one_silent_peer_to_the_next()
    {
        _witness.OnCertificate(_cluster.Certify(_stream[0].Reference));
        _witness.OnTicks(400);

        Assert.Equal([1, 2, 3], _witness.Out.Fetches.Select(fetch => fetch.Peer.Value).Distinct().Order());
        Assert.All(_witness.Out.Fetches, fetch => Assert.Equal(Sequence.Zero, fetch.From));
    }

    private void AdoptOverOwnAck(TestWitness witness)
    {
        witness.OnBatch(_otherFirst);
        witness.Flush();

        // The body comes as fetched bodies do: what covers it stands for the signature, so that nobody is proven faulty.
        witness.OnCertificate(_cluster.Certify(_stream[0].Reference, 0, 1, 2, 3));
        Assert.True(_cluster.Batches.TryVerifyCovered(_stream[0].Statement.Statement.Bytes.Span, default, _stream[0].Digest, out VerifiedStatement? unsigned, out _));
        Assert.True(_cluster.Batches.TryVerifyBody(unsigned, _stream[0].Body, null, out VerifiedBatch? fetched, out _));
        witness.OnBatch(fetched);
        witness.Flush();
        Assert.Equal(Sequence.Zero, witness.Tip);
    }
}
