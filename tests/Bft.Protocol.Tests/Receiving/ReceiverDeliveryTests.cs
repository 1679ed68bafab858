using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Receiving;

public sealed class ReceiverDeliveryTests : ReceiverFixture
{
    [Fact]
    public void R1_only_what_a_certificate_of_its_own_stream_covers_is_delivered()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch[] batches = stream.AppendMany(3);
        VerifiedCertificate top = Cluster.Certify(batches[2].Reference, from: 1);

        // Slot 0 is an ancestor, but no ack reaches down to it.
        Role.OnRange(W(0), top, Statements(batches), Effects);
        Role.OnRange(W(0), top, Statements(batches[1]), Effects);
        Role.OnRange(W(0), top, [], Effects);
        Role.OnRange(W(0), Cluster.Certify(Cluster.Stream(1).Append().Reference), Statements(batches[0]), Effects);

        Assert.Equal(
            [RejectReason.OtherSlot, RejectReason.OtherDigest, RejectReason.OtherSlot, RejectReason.OtherDigest],
            Effects.Misbehaved.Select(misdeed => misdeed.Reason));
        Assert.Equal(0, Role.StreamCount);
    }

    [Fact]
    public void R1_a_range_with_a_hole_or_a_stranger_is_the_server_s_fault()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch[] batches = stream.AppendMany(3);
        VerifiedBatch stranger = stream.Batch(1, Ancestor.Previous(batches[0].Digest), "stranger");
        VerifiedCertificate top = Cluster.Certify(batches[2].Reference, from: 0);

        Role.OnRange(W(3), top, Statements(batches[0], batches[2]), Effects);
        Role.OnRange(W(3), top, Statements(batches[0], stranger, batches[2]), Effects);

        Assert.Equal([new Misbehaved(W(3), RejectReason.OtherDigest), new Misbehaved(W(3), RejectReason.OtherDigest)], Effects.Misbehaved);
    }

    [Fact]
    public void R1_a_range_of_another_topic_is_the_server_s_fault()
    {
        VerifiedBatch batch = Cluster.Stream(topic: "invoices").Append();

        Serve(2, batch);

        Assert.Equal([new Misbehaved(W(2), RejectReason.OtherTopic)], Effects.Misbehaved);
        Assert.Equal(0, Role.StreamCount);
    }

    [Fact]
    public void R1_another_body_is_the_server_s_fault_and_the_right_one_is_still_taken()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch batch = stream.Append();
        VerifiedBatch other = Cluster.Stream(1).Append("another message");
        VerifiedCertificate certificate = Cluster.Certify(batch.Reference);
        Role.OnRange(W(0), certificate, Statements(batch), Effects);
        Role.OnTip(W(1), certificate, Effects);

        Assert.False(Role.OnBody(W(0), stream.Id, Sequence.Zero, other.Body, null, Effects));
        Assert.Equal([new Misbehaved(W(0), RejectReason.OtherBody)], Effects.Misbehaved);
        Assert.Empty(Effects.Deliveries);

        Assert.True(Body(1, batch));
        Assert.Equal(Refs(batch), Delivered());
    }

    [Fact]
    public void R1_a_batch_that_cannot_be_decoded_is_delivered_in_its_place()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch first = stream.Append();
        (BodyDescription description, byte[] body) = TestStream.Body(Cluster.Committee.Limits, "x");
        BatchStatement statement = BatchStatement.Create(
            stream.Header, new Sequence(1), Ancestor.Previous(first.Digest), description with { Encoding = (BodyEncoding)9 });
        VerifiedBatch unknown = BatchVerifier.Sign(statement, stream.Signer, body, null);
        VerifiedBatch third = stream.Batch(2, Ancestor.Previous(unknown.Digest), "third");

        Serve(0, first, unknown, third);
        Tip(1, third);

        Assert.Equal(Refs(first, unknown, third), Delivered());
    }

    [Fact]
    public void R2_batches_come_in_order_of_sequence_whatever_the_order_of_bodies()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(3);
        VerifiedCertificate certificate = Cluster.Certify(batches[2].Reference, from: 0);
        Role.OnRange(W(0), certificate, Statements(batches), Effects);
        Role.OnTip(W(1), certificate, Effects);

        Body(0, batches[2]);
        Body(0, batches[1]);
        Assert.Empty(Effects.Deliveries);

        Body(0, batches[0]);
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R2_a_range_above_a_gap_waits_and_the_gap_is_wanted_once()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(4);
        Serve(0, batches[0]);
        Effects.Clear();

        Serve(0, batches[2]);
        Serve(0, batches[3]);

        Assert.Contains(ReceiverIgnored.Gap, Effects.Ignored);
        Assert.Empty(Effects.Wanted);
        Tip(1, batches[3]);
        Assert.Equal([new Wanted(batches[0].Reference.Stream, new Sequence(1), W(0), WantedReason.Withheld)], Effects.Wanted);

        Serve(2, batches[1..]);
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R2_a_linked_incarnation_starts_after_its_target()
    {
        TestStream old = Cluster.Stream(incarnation: 1);
        VerifiedBatch[] before = old.AppendMany(3);
        TestStream fresh = Cluster.Stream(incarnation: 2);
        fresh.Link = Ancestor.Link(old.Header.Incarnation, new Sequence(1), before[1].Digest);
        VerifiedBatch[] after = fresh.AppendMany(2);

        Serve(0, after);
        Tip(1, after[1]);
        Assert.Empty(Effects.Deliveries);

        Serve(0, before[0]);
        Tip(1, before[0]);
        Assert.Equal(Refs(before[0]), Delivered());

        // The target releases what waited for it; what the old incarnation has above it is delivered all the same.
        Serve(0, before[1]);
        Tip(1, before[1]);
        Serve(0, before[2]);
        Tip(1, before[2]);
        Assert.Equal(Refs(before[0], before[1], after[0], after[1], before[2]), Delivered());
    }

    [Fact]
    public void R2_a_chain_of_linked_incarnations_is_released_one_after_the_other()
    {
        const int Count = 200;
        List<VerifiedBatch> batches = [];
        Ancestor link = Ancestor.None;
        for (ulong incarnation = 1; incarnation <= Count; incarnation++)
        {
            TestStream stream = Cluster.Stream(incarnation: incarnation);
            stream.Link = link;
            batches.Add(stream.Append());
            link = Ancestor.Link(stream.Header.Incarnation, Sequence.Zero, batches[^1].Digest);
        }

        foreach (VerifiedBatch batch in Enumerable.Reverse(batches))
        {
            Assert.Empty(Effects.Deliveries);
            VerifiedCertificate certificate = Serve(0, batch);
            Role.OnTip(W(1), certificate, Effects);
        }

        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R2_a_target_before_the_cursor_s_start_or_below_an_accepted_floor_is_behind_us()
    {
        TestStream old = Cluster.Stream(incarnation: 1);
        VerifiedBatch[] before = old.AppendMany(2);
        TestStream fresh = Cluster.Stream(incarnation: 2);
        fresh.Link = Ancestor.Link(old.Header.Incarnation, new Sequence(1), before[1].Digest);
        VerifiedBatch after = fresh.Append();

        Cursor cursor = new(new Topic("orders"));
        cursor.Advance(before[1].Reference);
        Role = NewRole(cursor);
        Serve(0, after);
        Tip(1, after);
        Assert.Equal(Refs(after), Delivered());

        Effects.Clear();
        Role = NewRole(new Cursor(new Topic("orders")));
        Serve(0, after);
        Tip(1, after);
        Role.OnAcceptedFloor(old.Id, new Sequence(1), Effects);
        Assert.Empty(Effects.Deliveries);

        Role.OnAcceptedFloor(old.Id, new Sequence(2), Effects);
        Assert.Equal(Refs(after), Delivered());
        Assert.Equal([new Skipped(old.Id, Sequence.Zero, new Sequence(1)), new Skipped(old.Id, new Sequence(1), new Sequence(2))], Effects.Skipped);
    }

    [Fact]
    public void R3_once_per_cursor_however_often_it_is_served()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(3);
        for (int witness = 0; witness < 4; witness++)
        {
            Serve(witness, batches);
            Serve(witness, batches[0]);
            Serve(witness, batches[2]);
        }

        Assert.Equal(Refs(batches), Delivered());
        Assert.Equal(0, Role.BufferedBytes);
    }

    [Fact]
    public void R3_a_cursor_goes_on_where_it_stands()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(4);
        Cursor cursor = new(new Topic("orders"));
        cursor.Advance(batches[1].Reference);
        Role = NewRole(cursor);

        Serve(0, batches);
        Tip(1, batches[3]);

        Assert.Equal(Refs(batches[2..]), Delivered());
    }

    [Fact]
    public void R3_statements_are_bounded_by_the_window_and_what_found_no_room_is_wanted_again()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(3 * Window);
        foreach (VerifiedBatch[] range in batches.Chunk(Window))
        {
            VerifiedCertificate certificate = Cluster.Certify(range[^1].Reference, range[0].Sequence.Value);
            Role.OnRange(W(0), certificate, Statements(range), Effects);
        }

        Assert.Contains(ReceiverIgnored.NoRoom, Effects.Ignored);
        Assert.Equal(new Sequence(0), Role.ToSubscription().PositionOf(batches[0].Reference.Stream).Next);

        Effects.Clear();
        Tip(1, batches[^1]);
        foreach (VerifiedBatch batch in batches[..Window])
        {
            Body(0, batch);
        }

        Tick(Patience.LagTicks);
        Assert.Equal(Refs(batches[..Window]), Delivered());
        Assert.Equal(new Sequence(Window), Effects.Wanted[^1].First);

        Serve(0, batches[Window..(2 * Window)]);
        Serve(0, batches[(2 * Window)..]);
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R3_bodies_are_bounded_and_the_next_one_always_fits()
    {
        VerifiedBatch[] batches = Cluster.Stream().AppendMany(3);
        Role = NewRole(new Cursor(new Topic("orders")), Patience with { BufferedBytesMax = batches[1].Body.Length });
        Role.OnRange(W(0), Cluster.Certify(batches[2].Reference, from: 0), Statements(batches), Effects);

        Assert.True(Body(0, batches[1]));
        Assert.False(Body(0, batches[2]));
        Assert.Equal([ReceiverIgnored.NoRoom], Effects.Ignored);
        Assert.True(Body(0, batches[0]));
        Assert.Empty(Effects.Deliveries);

        Tip(1, batches[2]);
        Assert.Equal(Refs(batches[..2]), Delivered());
        Assert.Equal([new Wanted(batches[0].Reference.Stream, new Sequence(2), W(0), WantedReason.Dropped)], Effects.Wanted);
        Assert.True(Body(0, batches[2]));
        Assert.Equal(Refs(batches), Delivered());
    }

    [Fact]
    public void R3_streams_are_bounded()
    {
        Role = NewRole(new Cursor(new Topic("orders")), Patience with { StreamsMax = 2 });
        TestStream linked = Cluster.Stream(2, incarnation: 5);
        linked.Link = Ancestor.Link(new Incarnation(4, 7), Sequence.Zero, Cluster.Stream(0).Append().Digest);

        Serve(0, Cluster.Stream(0).Append());
        Role.OnRange(W(0), Cluster.Certify(linked.Append().Reference), Statements(linked[0]), Effects);
        Serve(0, Cluster.Stream(3).Append());

        Assert.Equal(2, Role.StreamCount);
        Assert.Contains(ReceiverIgnored.TooManyStreams, Effects.Ignored);
    }
}
