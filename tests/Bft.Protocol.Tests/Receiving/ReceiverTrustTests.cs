using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Receiving;

public sealed class ReceiverTrustTests : ReceiverFixture
{
    [Fact]
    public void R5_the_server_alone_is_not_enough()
    {
        VerifiedBatch batch = Cluster.Stream().Append();

        Serve(0, batch);
        Serve(0, batch);
        Tip(0, batch);
        Assert.Empty(Effects.Deliveries);

        Tip(3, batch);
        Assert.Equal(Refs(batch), Delivered());
    }

    [Fact]
    public void R5_a_tip_below_the_slot_does_not_count()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(2);

        Tip(1, batches[0]);
        Tip(2, batches[0]);
        Serve(0, batches);

        Assert.Equal(Refs(batches[0]), Delivered());

        Tip(2, batches[1]);
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R5_a_tip_above_the_slot_counts()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(3);

        Tip(1, batches[2]);
        Serve(0, batches[0]);

        Assert.Equal(Refs(batches[0]), Delivered());
    }

    [Fact]
    public void R5_a_certificate_with_the_acks_of_all_n_is_enough()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(3);
        VerifiedCertificate all = Cluster.Certify(batches[1].Reference, 0, 0, 1, 2, 3);

        Serve(0, all, batches[..2]);
        Assert.Equal(Refs(batches[..2]), Delivered());

        // As a tip it is as good, for what it covers.
        Serve(0, batches[2]);
        Assert.Equal(2, Effects.Deliveries.Count);
        Role.OnTip(W(0), Cluster.Certify(batches[2].Reference, 2, 0, 1, 2, 3), Effects);
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R5_the_acks_of_all_n_count_only_down_to_their_base()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(2);
        Serve(0, batches);

        Role.OnTip(W(0), Cluster.Certify(batches[1].Reference, 1, 0, 1, 2, 3), Effects);

        Assert.Empty(Effects.Deliveries);
    }

    [Fact]
    public void R5_a_known_tip_counts_without_its_certificate()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(2);
        Serve(0, batches);

        Assert.True(Role.IsKnownCovered(batches[0].Reference));
        Role.OnKnownTip(W(1), batches[0].Reference, Effects);
        Assert.Equal(Refs(batches[0]), Delivered());

        Role.OnKnownTip(W(1), batches[1].Reference, Effects);
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R5_an_unknown_tip_changes_nothing_without_its_certificate()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch[] batches = stream.AppendMany(3);
        Serve(0, batches[..2]);

        BatchRef otherDigest = batches[1].Reference with { Digest = batches[2].Digest };
        BatchRef farAbove = batches[2].Reference with { Sequence = new Sequence(Sequence.MaxValue) };
        BatchRef otherStream = batches[1].Reference with { Stream = Cluster.Stream(1).Id };
        foreach (BatchRef tip in new[] { batches[2].Reference, otherDigest, farAbove, otherStream })
        {
            Assert.False(Role.IsKnownCovered(tip));
            Role.OnKnownTip(W(1), tip, Effects);
        }

        Assert.Empty(Effects.Deliveries);
        Assert.Equal(1, Role.StreamCount);
    }

    [Fact]
    public void R5_a_batch_that_too_few_hold_is_handed_over_with_back_off()
    {
        VerifiedBatch batch = Cluster.Stream().Append();
        VerifiedCertificate certificate = Serve(2, batch);

        List<int> ticks = [];
        for (int tick = 1; tick <= 40; tick++)
        {
            Effects.Clear();
            Role.OnTick(Effects);
            if (Effects.HandOvers.Count > 0)
            {
                Assert.Equal([new HandOver(W(0), certificate), new HandOver(W(1), certificate), new HandOver(W(3), certificate)], Effects.HandOvers);
                ticks.Add(tick);
            }
        }

        Assert.Equal([5, 15, 35], ticks);

        // The answer to a hand-over is a tip.
        Tip(1, batch);
        Assert.Equal(Refs(batch), Delivered());
        Effects.Clear();
        Tick(1000);
        Assert.Empty(Effects.HandOvers);
    }

    [Fact]
    public void R4_what_tips_show_and_nobody_serves_is_wanted_with_back_off()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(2);
        Serve(0, batches[0]);
        Tip(1, batches[1]);
        Effects.Clear();

        Tick(Patience.LagTicks - 1);
        Assert.Empty(Effects.Wanted);
        Tick(1);
        Assert.Equal([new Wanted(batches[0].Reference.Stream, new Sequence(1), W(0), WantedReason.Withheld)], Effects.Wanted);

        Tick((2 * Patience.LagTicks) - 1);
        Assert.Single(Effects.Wanted);
        Tick(1);
        Assert.Equal(2, Effects.Wanted.Count);
    }

    [Fact]
    public void R4_a_stream_that_the_server_hides_shows_in_a_tip()
    {
        VerifiedBatch hidden = Cluster.Stream(5).Append();

        Tip(1, hidden);
        Tick(Patience.LagTicks);

        Assert.Equal([new Wanted(hidden.Reference.Stream, Sequence.Zero, NotFrom: null, WantedReason.Withheld)], Effects.Wanted);
    }

    [Fact]
    public void R7_after_a_lost_server_the_path_goes_on_without_loss_or_repeat()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(4);
        Tip(3, batches[3]);
        VerifiedCertificate certificate = Cluster.Certify(batches[2].Reference, from: 0);
        Role.OnRange(W(0), certificate, Statements(batches[..3]), Effects);
        Body(0, batches[0]);
        Body(0, batches[2]);
        Effects.Ignored.Clear();

        Role.OnDisconnected(W(1), Effects);
        Assert.Empty(Effects.Wanted);
        Role.OnDisconnected(W(0), Effects);
        Assert.Equal([new Wanted(batches[0].Reference.Stream, new Sequence(1), W(0), WantedReason.Lost)], Effects.Wanted);
        Assert.Equal(new Sequence(1), Role.ToSubscription().PositionOf(batches[0].Reference.Stream).Next);

        Serve(1, batches[1..]);
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R1_a_covered_batch_whose_previous_was_not_delivered_stops_the_receiver_with_evidence()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch[] batches = stream.AppendMany(2);
        Serve(0, batches[0]);
        Tip(1, batches[0]);
        VerifiedBatch otherFirst = stream.Batch(0, Ancestor.None, "the other first");
        VerifiedBatch otherSecond = stream.Batch(1, Ancestor.Previous(otherFirst.Digest), "the other second");

        Serve(0, Cluster.Certify(otherSecond.Reference, 0), otherSecond);

        Assert.Equal(new Slot(stream.Id, Sequence.Zero), Effects.Fork?.Slot);
        AssertNames(Effects.Fork!, 0, 1, 2);
        Effects.Clear();
        Serve(0, batches[1]);
        Tip(1, batches[1]);
        Role.OnAcceptedFloor(stream.Id, new Sequence(9), Effects);
        Role.OnDisconnected(W(0), Effects);
        Tick(1000);
        Assert.Empty(Effects.Deliveries);
        Assert.Empty(Effects.Wanted);
        Assert.All(Effects.Ignored, reason => Assert.Equal(ReceiverIgnored.Stopped, reason));
    }

    [Fact]
    public void R1_no_witness_is_named_for_a_slot_that_its_acks_do_not_reach()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch first = stream.Append();
        Serve(0, first);
        Tip(1, first);
        VerifiedBatch otherFirst = stream.Batch(0, Ancestor.None, "the other first");
        VerifiedBatch otherSecond = stream.Batch(1, Ancestor.Previous(otherFirst.Digest), "the other second");

        Serve(0, Cluster.Certify(otherSecond.Reference, 1), otherSecond);

        Assert.NotNull(Effects.Fork?.First);
        AssertNames(Effects.Fork);
    }

    [Fact]
    public void R4_what_is_wanted_after_another_began_to_serve_is_wanted_of_that_one()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(2);
        Role.OnRange(W(0), Cluster.Certify(batches[1].Reference, 0), Statements(batches), Effects);
        Tip(1, batches[1]);
        Role.OnServing();
        Effects.Clear();

        Tick(1000);

        // Not of the one that served before: the host would take it for settled, and stay with a new one that withholds.
        Assert.NotEmpty(Effects.Wanted);
        Assert.All(Effects.Wanted, wanted => Assert.Null(wanted.NotFrom));
    }

    [Fact]
    public void C2_a_fork_against_what_was_delivered_before_this_run_stops_too_and_the_witnesses_are_shown_the_other_side()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch delivered = stream.Append();
        Cursor cursor = new(new Topic("orders"));
        cursor.Advance(delivered.Reference);
        Role = NewRole(cursor);
        VerifiedBatch other = stream.Batch(0, Ancestor.None, "other");
        VerifiedBatch next = stream.Batch(1, Ancestor.Previous(other.Digest), "next");

        Serve(0, next);

        Assert.NotNull(Effects.Fork);
        Assert.Null(Effects.Fork.First);
        Assert.Empty(Effects.Fork.ToEvidence(Cluster.Committee));
        Assert.Equal([0, 1, 2, 3], Effects.HandOvers.Select(handOver => handOver.To.Value));
        Assert.All(Effects.HandOvers, handOver => Assert.Equal(next.Reference, handOver.Certificate.Batch));
    }

    [Fact]
    public void R1_a_fork_inside_what_is_buffered_names_the_witnesses_in_both_certificates()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch[] batches = stream.AppendMany(3);
        VerifiedBatch other = stream.Batch(1, Ancestor.Previous(batches[0].Digest), "other");
        Serve(0, Cluster.Certify(batches[2].Reference, 0, 0, 1, 2), batches);

        Role.OnRange(W(1), Cluster.Certify(other.Reference, 0, 1, 2, 3), Statements(batches[0], other), Effects);

        Assert.Equal(new Slot(stream.Id, new Sequence(1)), Effects.Fork?.Slot);
        AssertNames(Effects.Fork!, 1, 2);
    }

    [Fact]
    public void R4_two_tips_that_conflict_stop_the_receiver()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch one = stream.Batch(0, Ancestor.None, "one");
        VerifiedBatch two = stream.Batch(0, Ancestor.None, "two");

        Role.OnTip(W(0), Cluster.Certify(one.Reference, 0, 0, 1, 2), Effects);
        Role.OnTip(W(3), Cluster.Certify(two.Reference, 0, 1, 2, 3), Effects);

        AssertNames(Effects.Fork!, 1, 2);
    }

    [Fact]
    public void R4_a_range_that_conflicts_with_a_tip_stops_the_receiver()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch[] batches = stream.AppendMany(2);
        VerifiedBatch other = stream.Batch(1, Ancestor.Previous(batches[0].Digest), "other");
        Tip(0, other);

        Serve(1, batches);

        AssertNames(Effects.Fork!, 0, 1, 2);
        Assert.Empty(Effects.Deliveries);
    }

    private void AssertNames(Fork fork, params int[] witnesses)
    {
        EvidenceVerifier verifier = new(Cluster.Committee, Ed25519.Instance);
        List<int> named = [];
        foreach (Evidence evidence in fork.ToEvidence(Cluster.Committee))
        {
            Assert.True(verifier.TryVerify(evidence.Encode(), out VerifiedEvidence? verified, out RejectReason reason), reason.ToString());
            Assert.Equal(fork.Slot, verified.Slot);
            named.Add(verified.Witness!.Value.Value);
        }

        Assert.Equal(witnesses, named);
    }
}
