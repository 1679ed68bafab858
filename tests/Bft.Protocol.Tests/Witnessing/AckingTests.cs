using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Witnessing;

public sealed class AckingTests : IDisposable
{
    private readonly TestCluster _cluster = new(limits: new ClusterLimits { WindowSlots = 4 });
    private readonly TestStream _stream;
    private readonly TestWitness _witness;

    public AckingTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(24);
        _witness = new TestWitness(_cluster);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W1_no_ack_is_shown_before_its_record_is_durable()
    {
        VerifiedBatch other = _stream.Batch(0, Ancestor.None, "other");
        _witness.OnBatch(_stream[0], _stream[0]);
        _witness.OnBatch(other);
        _witness.OnPeer(1);
        _witness.Seal();
        _witness.OnBatch(_stream[0], other);
        _witness.OnTicks(20);

        AssertNothingShown();
        _witness.Durable();
        Assert.Equal([_stream[0].Reference], _witness.AckLeaves.Select(leaf => leaf.Statement.Batch));
        Assert.Equal(RefusalReason.Conflict, Assert.Single(_witness.Out.Refusals, refusal => refusal.Refusal.Original is not null).Refusal.Reason);
    }

    [Fact]
    public void W1_own_ack_makes_no_certificate_before_it_is_durable()
    {
        _witness.OnBatch(_stream[0]);
        _witness.OnAcks(_cluster.Ack(1, _stream[0].Reference), _cluster.Ack(2, _stream[0].Reference));
        Assert.DoesNotContain(_witness.Journal, record => record is CertificateRecord);

        _witness.Seal();
        _witness.Durable();
        Assert.Contains(_witness.Journal, record => record is CertificateRecord);
    }

    [Fact]
    public void W1_a_later_commit_does_not_show_what_it_does_not_hold()
    {
        _witness.OnBatch(_stream[0]);
        _witness.Seal();
        _witness.OnBatch(_stream[1]);
        _witness.Durable();

        Assert.Equal([_stream[0].Reference], _witness.AckLeaves.Select(leaf => leaf.Statement.Batch));
    }

    [Fact]
    public void W1_acks_have_a_quorum_s_proof_under_run_and_mark()
    {
        _witness.OnBatch(_stream[0], _stream[1]);
        _witness.Flush();

        AckBundle bundle = Assert.Single(_witness.Out.PeerAcks);
        Assert.Equal(2, _cluster.Verify(bundle).Length);
        Assert.Equal(new Run(1), bundle.Root.Run);
    }

    [Fact]
    public void W1_base_stays_on_an_own_chain_and_reaches_less_than_a_window()
    {
        for (int i = 0; i < 7; i++)
        {
            _witness.OnBatch(_stream[i]);
        }

        Assert.Equal([0, 0, 0, 0, 1, 2, 3], _witness.BatchRecords.Select(record => (int)record.AckBase!.Value.Value));
    }

    [Fact]
    public void W1_no_ack_leaves_a_lower_slot_open()
    {
        _witness.OnBatch(_stream[0], _stream[2], _stream[3]);
        Assert.Single(_witness.BatchRecords);

        _witness.OnBatch(_stream[1]);
        Assert.Equal([0, 1, 2, 3], _witness.BatchRecords.Select(record => (int)record.Batch.Sequence.Value));
    }

    [Fact]
    public void W1_a_batch_on_an_unknown_predecessor_is_not_acked()
    {
        _witness.OnBatch(_stream[0]);
        _witness.OnBatch(_stream.Batch(1, Ancestor.Previous(_stream[5].Digest), "astray"));

        Assert.Single(_witness.BatchRecords);
    }

    [Fact]
    public void W1_no_ack_without_the_publisher_s_signature()
    {
        Assert.True(_cluster.Batches.TryVerifyCovered(_stream[0].Statement.Statement.Bytes.Span, default, _stream[0].Digest, out VerifiedStatement? unsigned, out _));
        Assert.True(_cluster.Batches.TryVerifyBody(unsigned, _stream[0].Body, null, out VerifiedBatch? batch, out _));
        _witness.OnBatch(batch);

        Assert.Equal([IgnoreReason.NotCovered], _witness.Out.Ignored);
        Assert.Empty(_witness.BatchRecords);
    }

    [Fact]
    public void W2_the_same_batch_again_gets_the_same_leaf_and_no_record()
    {
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        int length = _witness.Journal.Count;
        AckLeaf first = Assert.Single(_witness.AckLeaves);
        _witness.Forget();
        _witness.OnBatch(_stream[0]);

        Assert.Equal(length, _witness.Journal.Count);
        Assert.Equal(first.Statement, Assert.Single(Assert.Single(_witness.Out.PublisherAcks).Bundle.Leaves).Statement);
    }

    [Fact]
    public void W3_second_digest_at_a_sequence_is_never_acked_and_is_proven_once()
    {
        _witness.OnBatch(_stream[0]);
        _witness.Flush();
        _witness.OnBatch(_stream.Batch(0, Ancestor.None, "b"), _stream.Batch(0, Ancestor.None, "c"));
        _witness.Flush();

        Assert.Equal([_stream[0].Reference], _witness.AckLeaves.Select(leaf => leaf.Statement.Batch));
        Assert.Single(_witness.Out.Evidence);
        Assert.Single(_witness.Journal.OfType<EvidenceRecord>());
        Assert.Equal(2, _witness.Out.Refusals.Count);
        Assert.All(_witness.Out.Refusals, refusal => Assert.Equal(_stream[0].Reference, _cluster.Verify(refusal.Refusal.Acks!)[0].Batch));
    }

    [Fact]
    public void W10_a_proven_publisher_gets_no_fresh_ack_after_a_restart_either()
    {
        _witness.OnBatch(_stream[0], _stream.Batch(0, Ancestor.None, "b"), _stream[1]);
        _witness.Flush();
        _witness.Restart();
        _witness.OnBatch(_stream[1]);

        Assert.Single(_witness.BatchRecords);
        Assert.Contains(_witness.Out.Refusals, refusal => refusal.Refusal.Reason == RefusalReason.ProvenFaulty);
    }

    [Fact]
    public void W9_after_a_restart_the_chain_of_own_acks_goes_on()
    {
        _witness.OnBatch(_stream[0], _stream[1]);
        _witness.Flush();
        _witness.Restart();
        _witness.OnBatch(_stream[2]);

        Assert.Equal(Sequence.Zero, _witness.BatchRecords.Skip(2).Single().AckBase);
    }

    [Fact]
    public void C3_own_acks_end_two_windows_above_the_stored_tip()
    {
        _witness.OnBatch([.. _stream.Batches]);
        _witness.Flush();
        Assert.Equal(8, _witness.BatchRecords.Count());

        _witness.OnCertificate(_cluster.Certify(_stream[3].Reference, 0));
        _witness.Flush();
        Assert.Equal(12, _witness.BatchRecords.Count());
    }

    private void AssertNothingShown()
    {
        Assert.Empty(_witness.Out.PeerAcks);
        Assert.Empty(_witness.Out.PublisherAcks);
        Assert.Empty(_witness.Out.PeerResends);
        Assert.DoesNotContain(_witness.Out.Refusals, refusal => refusal.Refusal.Acks is not null || refusal.Refusal.Original is not null);
    }
}
