using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Publishing;

public sealed class PublisherCoverageTests : PublisherFixture
{
    private static AckStatement Leaf(VerifiedBatch batch, ulong from) => new(batch.Reference, new Sequence(from));

    [Fact]
    public void P5_a_publish_is_complete_with_a_quorum_of_acks_and_not_before()
    {
        VerifiedBatch batch = Durable(1)[0];

        Ack(batch, 0, 1);
        Ack(batch, 1);
        Assert.Empty(Effects.Covered);
        Assert.Equal([PublisherIgnored.RepeatedAck], Effects.Ignored);

        Ack(batch, 3);
        CoveredBatch covered = Assert.Single(Effects.Covered);
        Assert.Same(batch, covered.Batch);
        Assert.Equal([covered.Certificate], Effects.Certificates);
        Assert.True(Cluster.Acks.TryVerify(covered.Certificate.Certificate, out _, out _));

        // The fourth adds nothing: each slot is reported once.
        Effects.Clear();
        Ack(batch, 2);
        Assert.Empty(Effects.Covered);
        Assert.Equal([PublisherIgnored.AlreadyCovered], Effects.Ignored);
    }

    [Fact]
    public void P5_the_highest_slot_with_a_quorum_covers_the_ones_below()
    {
        VerifiedBatch[] batches = Durable(3);

        foreach (int witness in Cluster.Quorum)
        {
            Role.OnAcks(Cluster.Verify(Cluster.Bundle(witness, [.. batches.Select(batch => Leaf(batch, 0))])), Effects);
        }

        Assert.Equal([0ul, 1, 2], Covered());
        VerifiedCertificate certificate = Assert.Single(Effects.Certificates);
        Assert.Equal(batches[2].Reference, certificate.Batch);
        Assert.All(Effects.Covered, covered => Assert.Same(certificate, covered.Certificate));
    }

    [Fact]
    public void P5_where_a_base_leaves_a_gap_the_lower_slots_are_certified_for_themselves()
    {
        VerifiedBatch[] batches = Durable(3);

        // Witness 0 adopted slot 1 and reaches no lower than 2 from there.
        Role.OnAcks(Cluster.Verify(Cluster.Bundle(0, Leaf(batches[0], 0), Leaf(batches[1], 1), Leaf(batches[2], 2))), Effects);
        Role.OnAcks(Cluster.Verify(Cluster.Bundle(1, Leaf(batches[0], 0), Leaf(batches[1], 0), Leaf(batches[2], 0))), Effects);
        Role.OnAcks(Cluster.Verify(Cluster.Bundle(2, Leaf(batches[0], 0), Leaf(batches[1], 0), Leaf(batches[2], 0))), Effects);

        Assert.Equal([0ul, 1, 2], Covered());
        Assert.Equal([2ul, 1, 0], Effects.Certificates.Select(certificate => certificate.Batch.Sequence.Value));
    }

    [Fact]
    public void P5_coverage_is_reported_without_gaps_and_in_order()
    {
        VerifiedBatch[] batches = Durable(3);

        Ack(batches[2], 0, 1, 2);
        Ack(batches[1], 0, 1, 2);
        Assert.Empty(Effects.Covered);

        Ack(batches[0], 0, 1, 2);
        Assert.Equal([0ul, 1, 2], Covered());
    }

    [Fact]
    public void P5_acks_of_other_streams_or_of_what_was_not_sent_or_of_another_digest_do_not_count()
    {
        VerifiedBatch sent = Durable(1)[0];
        VerifiedBatch unsent = Submit();
        VerifiedBatch foreign = Cluster.Stream(publisher: 1).Append();
        VerifiedBatch other = Other(0, Ancestor.None);
        VerifiedBatch never = Other(3, Ancestor.Previous(sent.Digest));
        Effects.Clear();

        foreach (int witness in Cluster.Quorum)
        {
            Role.OnAcks([.. new[] { foreign, unsent, never, other }.Select(batch => Cluster.Ack(witness, batch.Reference))], Effects);
        }

        Assert.Empty(Effects.Covered);
        Assert.Null(Role.End);
        PublisherIgnored[] each = [PublisherIgnored.OtherStream, PublisherIgnored.NeverSent, PublisherIgnored.NeverSent, PublisherIgnored.OtherDigest];
        Assert.Equal([.. each, .. each, .. each], Effects.Ignored);

        // One slot, one vote each: the acks of the other digest took nothing away from ours.
        Ack(sent, 0, 1, 2);
        Assert.Equal([0ul], Covered());
    }

    [Fact]
    public void P5_a_witness_s_certificate_covers_as_well_as_acks()
    {
        VerifiedBatch[] batches = Durable(2);
        VerifiedCertificate certificate = Cluster.Certify(batches[1].Reference, from: 0);

        Role.OnCertificate(certificate, Effects);
        Role.OnCertificate(certificate, Effects);

        Assert.Equal([0ul, 1], Covered());
        Assert.Equal([certificate], Effects.Certificates);
        Assert.Equal([PublisherIgnored.AlreadyCovered], Effects.Ignored);
    }

    [Fact]
    public void P5_restored_certificates_cover_and_are_not_recorded_again()
    {
        VerifiedBatch[] journal = [Submit("a"), Submit("b")];
        Effects.Clear();
        var restarted = NewRole();
        restarted.RestoreBatch(journal[0]);
        restarted.RestoreBatch(journal[1]);

        restarted.RestoreCertificate(Cluster.Certify(journal[0].Reference), Effects);

        Assert.Equal([0ul], Covered());
        Assert.Empty(Effects.Certificates);
    }

    [Fact]
    public void P5_a_certificate_is_handed_to_connected_witnesses_until_n_minus_f_show_it()
    {
        VerifiedBatch batch = Durable(1)[0];
        Connect(0, 1, 2);
        VerifiedCertificate certificate = Cluster.Certify(batch.Reference);
        Role.OnCertificate(certificate, Effects);
        Role.OnTip(W(0), certificate, Effects);
        Effects.Clear();

        Tick(Patience.HandOverTicks - 1);
        Assert.Empty(Effects.HandOvers);

        Tick(1);
        Assert.Equal([new CertificateHandOver(W(1), certificate), new CertificateHandOver(W(2), certificate)], Effects.HandOvers);

        // Twice as long before the next one.
        Effects.Clear();
        Tick((2 * Patience.HandOverTicks) - 1);
        Assert.Empty(Effects.HandOvers);
        Tick(1);
        Assert.Equal(2, Effects.HandOvers.Count);

        Role.OnTip(W(1), certificate, Effects);
        Effects.Clear();
        Tick(1000);
        Assert.NotEmpty(Effects.HandOvers);
        Assert.All(Effects.HandOvers, handOver => Assert.Equal(W(2), handOver.To));

        Role.OnTip(W(3), certificate, Effects);
        Effects.Clear();
        Tick(1000);
        Assert.Empty(Effects.HandOvers);
    }

    [Fact]
    public void P5_a_tip_in_what_is_covered_needs_no_signatures_and_news_do()
    {
        VerifiedBatch[] batches = Durable(2);
        Connect(0, 3);
        Ack(batches[0], 0, 1, 2);
        Effects.Clear();

        Assert.True(Role.TryTip(W(0), batches[0].Reference));
        Assert.True(Role.TryTip(W(3), Cluster.Stream(publisher: 1).Batch(0, default, "other").Reference));
        Assert.False(Role.TryTip(W(3), batches[1].Reference));
        Tick(Patience.HandOverTicks);

        Assert.Equal([W(3)], Effects.HandOvers.Select(handOver => handOver.To));
    }

    [Fact]
    public void P5_a_tip_is_a_certificate_too()
    {
        VerifiedBatch batch = Durable(1)[0];

        Role.OnTip(W(0), Cluster.Certify(batch.Reference), Effects);

        Assert.Equal([0ul], Covered());
    }
}
