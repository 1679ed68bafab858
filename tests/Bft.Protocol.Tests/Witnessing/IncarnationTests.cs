using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Witnessing;

public sealed class IncarnationTests : IDisposable
{
    private static readonly NodeLimits Two = new() { LiveIncarnationsMax = 2, RetiredIncarnationsMax = 2 };
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(31);

    private readonly TestCluster _cluster = new();
    private readonly TestWitness _witness;

    public IncarnationTests()
    {
        _witness = new TestWitness(_cluster, limits: Two);
        _witness.Pass(TimeSpan.FromSeconds(1));
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W11_there_are_fresh_acks_in_so_many_incarnations_and_the_next_is_refused_full_with_their_originals()
    {
        TestStream first = Acked(1, 3);
        TestStream second = Acked(2, 1);
        TestStream third = _cluster.Stream(incarnation: 3);

        _witness.OnBatch(third.Append());
        _witness.Flush();

        Refusal refusal = Assert.Single(_witness.Out.Refusals).Refusal;
        Assert.Equal(RefusalReason.Full, refusal.Reason);
        Assert.Equal(third[0].Reference.Slot, refusal.Slot);
        Assert.Equal(
            [first[2], second[0], first[1], first[0]],
            refusal.Live.Select(live => first.Batches.Concat(second.Batches).Single(batch => batch.Statement.Statement.Bytes.Span.SequenceEqual(live.Bytes.Span))));
        Assert.Empty(_witness.Out.PeerAcks);
        Assert.Equal(2, _witness.Role.StreamCount);
    }

    [Fact]
    public void W11_a_refusal_shows_no_original_whose_ack_is_not_durable()
    {
        TestStream first = Acked(1, 1);
        TestStream second = _cluster.Stream(incarnation: 2);
        _witness.OnBatch(second.Append());
        _witness.OnBatch(_cluster.Stream(incarnation: 3).Append());

        SignedStatement shown = Assert.Single(Assert.Single(_witness.Out.Refusals).Refusal.Live);
        Assert.True(shown.Bytes.Span.SequenceEqual(first[0].Statement.Statement.Bytes.Span));
    }

    [Fact]
    public void W11_a_newcomer_retires_the_one_acked_in_longest_ago_when_its_uncertified_acks_are_30_s_old()
    {
        TestStream first = Acked(1, 1);
        TestStream second = Acked(2, 1);
        _witness.Pass(TimeSpan.FromSeconds(20));
        _witness.OnBatch(first.Append());
        _witness.Flush();
        _witness.Pass(TimeSpan.FromSeconds(11));
        _witness.Forget();

        Acked(3, 1);

        Assert.Equal(second.Header, Assert.Single(_witness.Journal.OfType<RetiredRecord>()).Header);

        second.AppendMany(2);
        _witness.OnBatch(second[1]);
        Refusal refusal = Assert.Single(_witness.Out.Refusals).Refusal;
        Assert.Equal(RefusalReason.Retired, refusal.Reason);
        Assert.Equal(3, refusal.Live.Count);
    }

    [Fact]
    public void W11_an_incarnation_with_nothing_uncertified_goes_at_once()
    {
        TestStream first = Acked(1, 2);
        TestStream second = Acked(2, 1);
        _witness.OnCertificate(_cluster.Certify(second[0].Reference));
        _witness.Flush();
        _witness.OnCertificate(_cluster.Certify(first[0].Reference));
        _witness.Flush();

        Acked(3, 1);
        Assert.Equal(second.Header, Assert.Single(_witness.Journal.OfType<RetiredRecord>()).Header);
    }

    [Fact]
    public void W11_none_at_or_below_the_highest_retired_joins_but_what_is_listed_there_goes_on()
    {
        TestStream low = Acked(1, 1);
        Acked(5, 1);
        _witness.OnBatch(low.Append());
        _witness.Flush();
        _witness.Pass(Idle);
        _witness.OnBatch(low.Append());
        _witness.Flush();
        Acked(6, 1); // retires 5
        _witness.Forget();

        _witness.OnBatch(_cluster.Stream(incarnation: 4).Append());
        _witness.OnBatch(low.Append());
        _witness.Flush();

        Assert.Equal(RefusalReason.Retired, Assert.Single(_witness.Out.Refusals).Refusal.Reason);
        Assert.Equal(low[3].Reference, Assert.Single(_witness.AckLeaves).Statement.Batch);
    }

    [Fact]
    public void W11_retired_acks_stay_and_are_repeated_and_exchanged()
    {
        TestStream first = Acked(1, 1);
        Acked(2, 1);
        _witness.Pass(Idle);
        Acked(3, 1);
        _witness.Forget();

        _witness.OnBatch(first[0]);
        Assert.Equal(first[0].Reference, Assert.Single(Assert.Single(_witness.Out.PublisherAcks).Bundle.Leaves).Statement.Batch);
        _witness.OnPeer(1);
        Assert.Contains(_witness.Out.PeerResends, resend => resend.Bundle.Leaves[0].Statement.Batch == first[0].Reference);
        Assert.Empty(_witness.Out.Refusals);
    }

    [Fact]
    public void W5_a_certificate_is_taken_in_a_retired_incarnation_and_its_body_is_stored_without_an_ack()
    {
        TestStream first = Acked(1, 1);
        Acked(2, 1);
        _witness.Pass(Idle);
        Acked(3, 1);
        _witness.Forget();
        first.AppendMany(2);

        _witness.OnCertificate(_cluster.Certify(first[1].Reference, 0), first[1], first[0]);
        _witness.OnBatch(first[1], first[2]);
        _witness.Flush();

        Assert.Equal(new Sequence(1), _witness.Tip);
        Assert.Empty(_witness.AckLeaves);
        Assert.Equal(RefusalReason.Retired, Assert.Single(_witness.Out.Refusals).Refusal.Reason);
    }

    [Fact]
    public void W11_the_lists_are_rebuilt_by_replay()
    {
        TestStream first = Acked(1, 1);
        TestStream second = Acked(2, 1);
        _witness.Pass(Idle);
        _witness.OnBatch(first.Append());
        _witness.Flush();
        TestStream third = Acked(3, 1); // retires 2

        _witness.Restart();
        _witness.Flush();
        _witness.Forget();

        _witness.OnBatch(second.Append());
        Assert.Equal(RefusalReason.Retired, Assert.Single(_witness.Out.Refusals).Refusal.Reason);
        _witness.OnBatch(_cluster.Stream(incarnation: 4).Append());
        Assert.Equal(RefusalReason.Full, _witness.Out.Refusals[1].Refusal.Reason);
        _witness.OnBatch(first.Append(), third.Append());
        _witness.Flush();
        Assert.Equal([first[2].Reference, third[1].Reference], _witness.AckLeaves.Select(leaf => leaf.Statement.Batch));

        // Nobody's acks are older than the restart for all that is known.
        _witness.Pass(TimeSpan.FromSeconds(29));
        _witness.OnBatch(_cluster.Stream(incarnation: 4).Append());
        Assert.Equal(RefusalReason.Full, _witness.Out.Refusals[^1].Refusal.Reason);
        _witness.Pass(TimeSpan.FromSeconds(10));
        Acked(4, 1);
        Assert.Equal(first.Header, _witness.Journal.OfType<RetiredRecord>().Last().Header);
    }

    [Fact]
    public void W11_a_key_that_opens_incarnation_after_incarnation_is_remembered_in_a_bounded_number_of_streams()
    {
        for (ulong incarnation = 1; incarnation <= 20; incarnation++)
        {
            Acked(incarnation, 1);
            _witness.Pass(Idle);
        }

        Assert.Equal(Two.LiveIncarnationsMax + Two.RetiredIncarnationsMax, _witness.Role.StreamCount);
        _witness.Restart();
        Assert.Equal(Two.LiveIncarnationsMax + Two.RetiredIncarnationsMax, _witness.Role.StreamCount);

        _witness.Forget();
        _witness.OnBatch(_cluster.Stream(incarnation: 1).Append());
        Assert.Equal(RefusalReason.Retired, Assert.Single(_witness.Out.Refusals).Refusal.Reason);
    }

    [Fact]
    public void W11_what_was_never_acked_in_makes_room_first_and_leaves_no_trace()
    {
        TestStream held = _cluster.Stream(incarnation: 1);
        held.AppendMany(2);
        _witness.OnBatch(held[1]);
        Acked(2, 1);
        Assert.Equal(2, _witness.Role.StreamCount);

        Acked(3, 1);

        Assert.Equal(2, _witness.Role.StreamCount);
        Assert.Empty(_witness.Journal.OfType<RetiredRecord>());
        _witness.OnBatch(held[0]);
        Assert.Equal(RefusalReason.Full, Assert.Single(_witness.Out.Refusals).Refusal.Reason);
    }

    [Fact]
    public void W10_a_publisher_proven_in_a_stream_that_was_forgotten_gets_no_fresh_ack_when_it_comes_back()
    {
        TestStream held = _cluster.Stream(incarnation: 5);
        held.AppendMany(2);
        _witness.OnBatch(held[1], held.Batch(1, Ancestor.Previous(held[0].Digest), "other"));
        Assert.Single(_witness.Out.Evidence);
        Acked(2, 1);
        Acked(3, 1);
        Assert.Equal(2, _witness.Role.StreamCount);
        _witness.Pass(Idle);

        _witness.OnBatch(held[0]);
        _witness.Flush();

        Assert.DoesNotContain(_witness.BatchRecords, record => record.Batch == held[0]);
        Assert.Equal(RefusalReason.ProvenFaulty, _witness.Out.Refusals[^1].Refusal.Reason);
    }

    [Fact]
    public void W11_topics_and_publishers_have_lists_of_their_own()
    {
        Acked(1, 1);
        Acked(2, 1);
        _witness.OnBatch(_cluster.Stream(topic: "other", incarnation: 3).Append(), _cluster.Stream(publisher: 1, incarnation: 3).Append());

        Assert.Empty(_witness.Out.Refusals);
    }

    private TestStream Acked(ulong incarnation, int batches)
    {
        TestStream stream = _cluster.Stream(incarnation: incarnation);
        _witness.OnBatch(stream.AppendMany(batches));
        _witness.Flush();
        Assert.All(stream.Batches, batch => Assert.Contains(_witness.AckLeaves, leaf => leaf.Statement.Batch == batch.Reference));
        _witness.Out.PeerAcks.Clear();
        return stream;
    }
}
