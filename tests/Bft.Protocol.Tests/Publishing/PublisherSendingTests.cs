using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Publishing;

public sealed class PublisherSendingTests : PublisherFixture
{
    [Fact]
    public void P1_sequences_are_contiguous_and_each_batch_names_its_predecessor()
    {
        VerifiedBatch first = Submit();
        VerifiedBatch second = Submit();

        Assert.Equal([Sequence.Zero, new Sequence(1)], [first.Sequence, second.Sequence]);
        Assert.Equal(Ancestor.None, first.Statement.Statement.Ancestor);
        Assert.Equal(Ancestor.Previous(first.Digest), second.Statement.Statement.Ancestor);
        Assert.True(Cluster.Batches.TryVerifyStatement(second.Statement.Statement.Bytes.Span, second.Statement.Signature, out _, out _));
    }

    [Fact]
    public void P1_sequence_0_of_a_fresh_incarnation_carries_its_link()
    {
        Ancestor link = Ancestor.Link(new Incarnation(0, 1), new Sequence(9), Submit().Digest);
        var role = NewRole(link);
        role.Continue();
        (BodyDescription description, byte[] body) = TestStream.Body(Cluster.Committee.Limits, "m");

        Assert.Equal(link, role.Submit(description, body, null, Effects).Statement.Statement.Ancestor);
        Assert.Throws<ArgumentException>(() => NewRole(Ancestor.Link(Header.Incarnation, new Sequence(9), link.Digest)));
    }

    [Fact]
    public void P2_nothing_leaves_before_its_journal_record_is_durable()
    {
        Connect(0, 1, 2, 3);

        VerifiedBatch first = Submit();
        VerifiedBatch second = Submit();
        Tick(100);
        Role.OnConnected(W(0), Effects);

        Assert.Equal([first, second], Effects.Batches);
        Assert.Empty(Effects.Sends);

        Role.OnDurable(first.Sequence, Effects);

        Assert.All([0, 1, 2, 3], witness => Assert.Equal([0ul], SentTo(witness)));
    }

    [Fact]
    public void P2_a_restored_slot_is_never_signed_again()
    {
        VerifiedBatch[] journal = [Submit("a"), Submit("b")];
        var restarted = NewRole();
        foreach (VerifiedBatch batch in journal)
        {
            restarted.RestoreBatch(batch);
        }

        restarted.Continue();
        Effects.Clear();
        restarted.OnConnected(W(0), Effects);
        (BodyDescription description, byte[] body) = TestStream.Body(Cluster.Committee.Limits, "c");
        VerifiedBatch next = restarted.Submit(description, body, null, Effects);

        Assert.Equal(journal, Effects.Sends.Select(send => send.Batch));
        Assert.Equal(new Sequence(2), next.Sequence);
        Assert.Equal(Ancestor.Previous(journal[1].Digest), next.Statement.Statement.Ancestor);
    }

    [Fact]
    public void P2_a_journal_with_a_gap_or_a_foreign_batch_is_not_continued()
    {
        VerifiedBatch[] journal = [Submit("a"), Submit("b"), Submit("c")];

        Assert.Throws<InvalidOperationException>(() => NewRole().RestoreBatch(journal[1]));
        var gap = NewRole();
        gap.RestoreBatch(journal[0]);
        Assert.Throws<InvalidOperationException>(() => gap.RestoreBatch(journal[2]));
        Assert.Throws<InvalidOperationException>(() => gap.RestoreBatch(Other(1, Ancestor.Previous(journal[2].Digest))));
        Assert.Throws<InvalidOperationException>(() => gap.RestoreBatch(Cluster.Stream(publisher: 1).Append()));
        Assert.Throws<InvalidOperationException>(() => gap.RestoreCertificate(Cluster.Certify(journal[2].Reference), Effects));
    }

    [Fact]
    public void P2_a_cut_journal_continues_after_its_certificate()
    {
        VerifiedBatch[] journal = [Submit("a"), Submit("b"), Submit("c")];
        var restarted = NewRole();

        restarted.RestoreCertificate(Cluster.Certify(journal[1].Reference), Effects);
        restarted.RestoreBatch(journal[0]);
        restarted.RestoreBatch(journal[2]);
        restarted.Continue();

        Assert.Equal(new Sequence(2), restarted.FirstUncovered);
        Assert.Equal(new Sequence(3), restarted.Next);
    }

    [Fact]
    public void P3_a_witness_that_connects_is_sent_what_it_has_not_acked_in_order_with_the_same_bytes()
    {
        VerifiedBatch[] batches = Durable(3);
        Ack(batches[1], 2);
        Effects.Clear();

        Role.OnConnected(W(2), Effects);

        Assert.Equal([batches[0], batches[2]], Effects.Sends.Select(send => send.Batch));

        Effects.Clear();
        Role.OnDisconnected(W(2));
        Role.OnConnected(W(2), Effects);

        Assert.Same(batches[0], Effects.Sends[0].Batch);
    }

    [Fact]
    public void P3_resends_back_off_and_end_with_the_ack()
    {
        Connect(0, 1);
        VerifiedBatch[] batches = Durable(2);
        Ack(batches[0], 0);
        Ack(batches[1], 0);

        List<int> ticks = [];
        for (int tick = 1; tick <= 150; tick++)
        {
            Effects.Clear();
            Role.OnTick(Effects);
            Assert.Empty(SentTo(0));
            if (SentTo(1) is { Length: > 0 } sent)
            {
                Assert.Equal([0ul, 1ul], sent);
                ticks.Add(tick);
            }
        }

        // 10, then twice as long each time, up to 40.
        Assert.Equal([10, 30, 70, 110, 150], ticks);

        Ack(batches[0], 1);
        Effects.Clear();
        Tick(10);
        Assert.Equal([1ul], SentTo(1));
    }

    [Fact]
    public void P3_a_witness_whose_acks_take_long_is_given_twice_that_time()
    {
        Connect(0, 1);
        VerifiedBatch first = Durable(1)[0];
        Tick(9);
        Ack(first, 0);
        Effects.Clear();
        Durable(1);

        Tick(17);
        Assert.Empty(SentTo(0));
        Assert.NotEmpty(SentTo(1));

        Tick(1);
        Assert.Equal([1ul], SentTo(0));
    }

    [Fact]
    public void P3_what_was_sent_just_now_is_not_resent_with_the_rest()
    {
        Connect(0);
        Durable(1);
        Tick(Patience.ResendFirstTicks - 1);
        Durable(1);

        Tick(1);

        Assert.Equal([0ul], SentTo(0));
    }

    [Fact]
    public void P3_nothing_is_resent_to_a_witness_without_a_connection()
    {
        Connect(0);
        Durable(1);
        Role.OnDisconnected(W(0));

        Tick(100);

        Assert.Empty(Effects.Sends);
    }

    [Fact]
    public void P3_what_is_certified_is_not_resent()
    {
        Connect(0, 1, 2, 3);
        VerifiedBatch batch = Durable(1)[0];
        Ack(batch, 0, 1, 2);
        Effects.Clear();

        Tick(100);

        Assert.Empty(Effects.Sends);
    }

    [Fact]
    public void P4_at_most_W_batches_above_the_covered_ones()
    {
        VerifiedBatch[] batches = Durable(4);

        Assert.Equal(WaitReason.WindowSlots, Role.WhyMustWait(1));
        Assert.Throws<InvalidOperationException>(() => Submit());

        // A certificate above a gap makes no room.
        Role.OnCertificate(Cluster.Certify(batches[1].Reference), Effects);
        Assert.Equal(WaitReason.WindowSlots, Role.WhyMustWait(1));

        Role.OnCertificate(Cluster.Certify(batches[0].Reference), Effects);
        Assert.Null(Role.WhyMustWait(1));
        Assert.Equal(new Sequence(2), Role.FirstUncovered);
    }

    [Fact]
    public void P4_at_most_B_bytes_above_the_covered_ones()
    {
        long room = Cluster.Committee.Limits.WindowBytes;
        VerifiedBatch batch = Submit();

        Assert.Equal(batch.Body.Length, Role.UncoveredBytes);
        Assert.Null(Role.WhyMustWait((int)(room - batch.Body.Length)));
        Assert.Equal(WaitReason.WindowBytes, Role.WhyMustWait((int)(room - batch.Body.Length) + 1));

        Role.OnDurable(batch.Sequence, Effects);
        Role.OnCertificate(Cluster.Certify(batch.Reference), Effects);

        Assert.Equal(0, Role.UncoveredBytes);
    }
}
