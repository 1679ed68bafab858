using Bft.Client.Tests.Support;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client.Tests.Subscribing;

public sealed class FreshnessTests : DriverFixture
{
    [Fact]
    public void R4_n_minus_f_witnesses_are_watched_and_a_silent_one_is_replaced()
    {
        Run(100);
        WitnessIndex[] first = Outputs.Watched;
        Assert.Equal(Cluster.Size.Responsive, first.Length);
        WitnessIndex silent = first[0];
        WitnessIndex spare = Cluster.Committee.Members.Single(witness => !first.Contains(witness));

        Run(4000, silent);

        Assert.Equal(Cluster.Size.Responsive, Outputs.Watched.Length);
        Assert.Contains(spare, Outputs.Watched);
        Assert.Contains(Outputs.Notices, notice => notice is WitnessLost lost && lost.Witness == silent);
    }

    [Fact]
    public void R4_a_witness_that_is_gone_is_replaced()
    {
        Run(100);
        WitnessIndex gone = Outputs.Watched[0];

        Outputs.Close(gone, SubscriptionChannel.Tips);
        Driver.OnClosed(gone, SubscriptionChannel.Tips, "The connection broke.");
        Run(200);

        Assert.Equal(Cluster.Size.Responsive, Outputs.Watched.Length);
        Assert.DoesNotContain(gone, Outputs.Watched);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void R4_what_the_server_withholds_is_noticed_within_two_seconds_and_comes_from_another(bool isStreamHidden)
    {
        VerifiedBatch[] shown = Cluster.Stream(1).AppendMany(2);
        VerifiedBatch[] hidden = isStreamHidden ? Cluster.Stream(2).AppendMany(1) : [shown[1]];
        Run(100);
        Serve(Server, shown[0]);
        long since = Now;
        TipFromAll(shown[0]);
        TipFromAll(hidden[0]);

        while (Outputs.Serving == Server && Now < since + 10_000)
        {
            Run(20);
        }

        Assert.InRange(Now - since, 1, 2000);
        Run(200);
        Assert.NotNull(Outputs.Serving);
        Assert.NotEqual(Server, Outputs.Serving);
        Serve(Outputs.Serving.Value, hidden[0]);
        Assert.Equal([shown[0].Reference, hidden[0].Reference], Outputs.Delivered.Select(delivery => delivery.Batch.Reference));
    }

    [Fact]
    public void R4_each_of_f_that_withhold_has_no_more_than_two_seconds()
    {
        Run(100);
        TipFromAll(Cluster.Stream(1).Append());
        for (int i = 0; i < 3; i++)
        {
            WitnessIndex? serving = Outputs.Serving;
            long since = Now;
            while (Outputs.Serving == serving && Now < since + 10_000)
            {
                Run(20);
            }

            Assert.InRange(Now - since, 1, 2000);
            Run(500);
        }
    }

    [Fact]
    public void R4_a_witness_that_only_trickles_loses_its_turn()
    {
        VerifiedBatch[] batches = Cluster.Stream(1).AppendMany(40);
        Run(100);
        TipFromAll(batches[^1]);
        int served = 0;
        while (Outputs.Serving == Server && served < 30)
        {
            Serve(Server, batches[served++]);
            Run(500);
        }

        Assert.InRange(served, 15, 25);
    }

    [Fact]
    public void R4_a_tip_list_unlike_its_digest_ends_the_watch()
    {
        VerifiedBatch batch = Cluster.Stream(1).Append();
        Run(100);
        WitnessIndex liar = Outputs.Watched[0];
        WitnessIndex honest = Outputs.Watched[1];
        TipList list = new();
        list.Set(batch.Reference);
        Tip(honest, batch);

        Driver.OnFrame(honest, SubscriptionChannel.Tips, new HeartbeatFrame(list.ToDigest()));
        Driver.OnFrame(liar, SubscriptionChannel.Tips, new HeartbeatFrame(list.ToDigest()));

        Assert.DoesNotContain(liar, Outputs.Watched);
        Assert.Contains(honest, Outputs.Watched);
        Assert.Contains(Outputs.Notices, notice => notice is WitnessMisbehaved misbehaved && misbehaved.Witness == liar);
    }

    [Fact]
    public void R5_a_tip_that_nobody_serves_is_handed_to_those_who_do_not_show_it()
    {
        VerifiedBatch batch = Cluster.Stream(1).Append();
        Run(100);
        WitnessIndex only = Outputs.Watched[^1];
        Tip(only, batch);

        Run(1500);

        Assert.NotEmpty(Outputs.HandedOver);
        Assert.DoesNotContain(Outputs.HandedOver, handed => handed.Witness == only);
        Assert.All(Outputs.HandedOver, handed => Assert.Equal(Cluster.Certify(batch.Reference).Batch, Read(handed.Frame)));

        static BatchRef? Read(IPublishRequest frame) => QuorumCertificate.TryParse(((CertifiedFrame)frame).Certificate.Span, out QuorumCertificate? certificate) ? certificate.Batch : null;
    }

    [Fact]
    public void R4_a_watched_witness_that_hides_a_stream_for_long_makes_room_for_another()
    {
        Driver = NewDriver(Options with { SilenceMax = TimeSpan.FromMinutes(1) });
        Run(100);
        WitnessIndex hiding = Outputs.Watched[0];
        VerifiedBatch batch = Cluster.Stream(1).Append();
        TipFromAll(Cluster.Stream(2).Append());
        foreach (WitnessIndex witness in Outputs.Watched[1..])
        {
            Tip(witness, batch);
        }

        Run(25_000);

        Assert.Contains(Outputs.Notices, notice => notice is WitnessLost { Reason: "Its tips lack what other witnesses prove." } lost && lost.Witness == hiding);
        Assert.DoesNotContain(Outputs.Notices, notice => notice is WitnessLost { Reason: "Its tips lack what other witnesses prove." } lost && lost.Witness != hiding);
    }

    [Fact]
    public void R4_two_tips_that_conflict_stop_the_receiver_with_evidence_against_f_plus_one()
    {
        TestStream stream = Cluster.Stream(1);
        Run(100);

        Tip(Outputs.Watched[0], stream.Batch(0, Ancestor.None, "one"));
        Run(100);
        Tip(Outputs.Watched[1], stream.Batch(0, Ancestor.None, "two"));
        Run(100);

        Assert.NotNull(Outputs.Fork);
        Assert.True(Outputs.Notices.OfType<EvidenceSeen>().Count() >= Cluster.Size.OneCorrect);
    }

    [Fact]
    public void R4_a_floor_is_accepted_when_n_minus_f_lack_the_slot_f_plus_one_of_them_by_floor()
    {
        VerifiedBatch[] batches = Cluster.Stream(1).AppendMany(6);
        Run(100);
        List<WitnessIndex> asked = [];
        for (int i = 0; i < Cluster.Size.Responsive; i++)
        {
            Assert.Empty(Outputs.Notices.OfType<SlotsSkipped>());
            asked.Add(Outputs.Serving!.Value);
            FloorFrame floor = new(new Slot(batches[0].Reference.Stream, new Sequence((ulong)(5 - i))), Cluster.Certify(batches[5].Reference).Certificate.Bytes);
            Driver.OnFrame(Outputs.Serving.Value, SubscriptionChannel.Bodies, floor);
            Run(1000);
        }

        Assert.Equal(asked.Distinct(), asked);
        Assert.Equal([new SlotsSkipped(batches[0].Reference.Stream, Sequence.Zero, new Sequence(3))], Outputs.Notices.OfType<SlotsSkipped>());
    }

    [Fact]
    public void R6_what_found_no_room_is_asked_for_again_at_once_at_the_same_witness()
    {
        Driver = NewDriver(Options with { QueueBytesMax = 1 });
        VerifiedBatch[] batches = Cluster.Stream(1).AppendMany((2 * Cluster.Committee.Limits.WindowSlots) + 2);
        Run(100);
        foreach (VerifiedBatch[] range in batches.Chunk(Cluster.Committee.Limits.WindowSlots))
        {
            Serve(Server, range);
        }

        int starts = Outputs.Starts.Count;
        TipFromAll(batches[^1]);
        Run(100);

        Assert.Equal(Server, Outputs.Serving);
        Assert.Equal(starts, Outputs.Starts.Count);
        Driver.OnTaken(Outputs.Delivered.Sum(delivery => (long)delivery.Batch.Body.Length));
        Run(3000);
        Assert.True(Outputs.Starts.Count > starts);
        Assert.Equal(Outputs.Delivered[^1].Batch.Sequence.Following, Outputs.Starts[^1].Cursors[0].Sequence);
    }

    [Fact]
    public void R5_what_too_few_hold_is_handed_over_and_bodies_follow_on_request()
    {
        VerifiedBatch batch = Cluster.Stream(1).Append();
        Run(100);
        Serve(Server, batch);
        Run(1000);
        Assert.Empty(Outputs.Delivered);
        Assert.Equal([1, 2, 3], Outputs.HandedOver.Select(handed => handed.Witness.Value).Distinct().Order());
        Assert.All(Outputs.HandedOver, handed => Assert.Empty(Assert.IsType<CertifiedFrame>(handed.Frame).Statements));

        Outputs.HandedOver.Clear();
        WitnessIndex lagging = new(2);
        FetchFrame fetch = new(batch.Reference.Stream, Sequence.Zero, Sequence.Zero, WithBodies: true);
        Driver.OnHandOverReply(lagging, fetch);
        Driver.OnHandOverReply(lagging, fetch);
        Assert.Equal([lagging, lagging], Outputs.HandedOver.Select(handed => handed.Witness));
        Assert.Single(Assert.IsType<CertifiedFrame>(Outputs.HandedOver[0].Frame).Statements);
        Assert.Equal(batch.Body.ToArray(), Assert.IsType<BatchFrame>(Outputs.HandedOver[1].Frame).Batch.Body.ToArray());

        Driver.OnHandOverReply(lagging, new TipFrame(Cluster.Certify(batch.Reference).Certificate.Bytes));
        Assert.Equal([batch.Reference], Outputs.Delivered.Select(delivery => delivery.Batch.Reference));
    }
}
