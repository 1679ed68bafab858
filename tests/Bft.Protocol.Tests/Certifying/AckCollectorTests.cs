using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Certifying;

public sealed class AckCollectorTests
{
    [Theory]
    [InlineData(4, 3)]
    [InlineData(5, 4)]
    [InlineData(6, 4)]
    [InlineData(7, 5)]
    [InlineData(8, 6)]
    public void C1_a_quorum_of_distinct_witnesses_certifies_and_one_fewer_does_not(int witnesses, int quorum)
    {
        using TestCluster cluster = new(witnesses);
        BatchRef batch = cluster.Stream().Append().Reference;
        AckCollector collector = new(cluster.Committee);
        for (int i = 0; i < quorum; i++)
        {
            Assert.Null(collector.TryCertify(Sequence.Zero));
            Assert.Equal(AckOutcome.Counted, collector.OnAck(cluster.Ack(i, batch), out _));
            Assert.Equal(AckOutcome.Repeated, collector.OnAck(cluster.Ack(i, batch), out _));
        }

        VerifiedCertificate certificate = Assert.IsType<VerifiedCertificate>(collector.TryCertify(Sequence.Zero));
        Assert.True(cluster.Acks.TryVerifyCertificate(certificate.Certificate.Bytes.Span, out _, out _));
        Assert.Equal(quorum, certificate.WitnessCount);
    }

    [Fact]
    public void C1_low_bases_are_preferred()
    {
        using TestCluster cluster = new();
        TestStream stream = cluster.Stream();
        BatchRef batch = stream.AppendMany(4)[3].Reference;
        AckCollector collector = new(cluster.Committee);
        collector.OnAck(cluster.Ack(0, batch, 3), out _);
        collector.OnAck(cluster.Ack(1, batch, 0), out _);
        collector.OnAck(cluster.Ack(2, batch, 2), out _);
        collector.OnAck(cluster.Ack(3, batch, 1), out _);

        Assert.Equal(new Sequence(2), collector.TryCertify(batch.Sequence)!.Base);
    }

    [Fact]
    public void C2_the_later_ack_never_replaces_the_first()
    {
        using TestCluster cluster = new();
        TestStream stream = cluster.Stream();
        BatchRef first = stream.Append().Reference;
        BatchRef second = stream.Batch(0, Ancestor.None, "other").Reference;
        AckCollector collector = new(cluster.Committee);
        VerifiedAck kept = cluster.Ack(0, first);
        collector.OnAck(kept, out _);
        Assert.Equal(AckOutcome.Conflicting, collector.OnAck(cluster.Ack(0, second), out VerifiedAck counted));

        Assert.Same(kept, counted);
        collector.OnAck(cluster.Ack(1, second), out _);
        collector.OnAck(cluster.Ack(2, second), out _);
        Assert.Null(collector.TryCertify(Sequence.Zero));
    }

    [Fact]
    public void C2_acks_whose_intervals_share_a_slot_with_different_batches_are_evidence_once()
    {
        using TestCluster cluster = new();
        TestStream stream = cluster.Stream();
        stream.AppendMany(3);
        VerifiedBatch other = stream.Batch(1, Ancestor.Previous(stream[0].Digest), "other");
        TestWitness witness = new(cluster);
        witness.OnBatch([.. stream.Batches]);
        witness.OnAcks(cluster.Ack(2, other.Reference, 0), cluster.Ack(2, stream[2].Reference, 0), cluster.Ack(2, stream[1].Reference, 0));

        VerifiedEvidence evidence = Assert.Single(witness.Out.Evidence);
        Assert.Equal(2, evidence.Witness!.Value.Value);
        Assert.True(new EvidenceVerifier(cluster.Committee, Ed25519.Instance).TryVerify(evidence.Evidence.Encode(), out _, out _));
    }

    [Fact]
    public void C2_the_same_leaf_under_two_roots_and_disjoint_intervals_are_no_evidence()
    {
        using TestCluster cluster = new();
        TestStream stream = cluster.Stream();
        stream.AppendMany(3);
        VerifiedBatch other = stream.Batch(1, Ancestor.Previous(stream[0].Digest), "other");
        TestWitness witness = new(cluster);
        witness.OnBatch([.. stream.Batches]);
        witness.OnAcks(cluster.Ack(2, other.Reference, 0), cluster.Ack(2, other.Reference, 0), cluster.Ack(2, stream[2].Reference, 2));

        Assert.Empty(witness.Out.Evidence);
    }
}
