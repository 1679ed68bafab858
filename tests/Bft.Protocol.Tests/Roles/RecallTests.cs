using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Tests.Roles;

public sealed class RecallTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;

    public RecallTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(3);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W9_no_ack_before_n_f_1_peers_have_answered_and_the_rest_had_ten_seconds()
    {
        TestWitness witness = new(_cluster, answered: false);
        witness.OnBatch(_stream[0]);
        witness.Flush();
        Tick(witness, 0);
        Tick(witness, 20_000);
        witness.Answer(1);
        Assert.Empty(witness.Out.PeerAcks);

        witness.Answer(1);
        Assert.Empty(witness.Out.PeerAcks);

        witness.Answer(3);
        Tick(witness, 20_001);

        Assert.Equal(_stream[0].Reference, Assert.Single(witness.AckLeaves).Statement.Batch);
        Assert.Single(witness.Out.PublisherAcks);
    }

    [Fact]
    public void W9_all_answers_end_the_asking_at_once_and_patience_ends_it_without_the_last()
    {
        TestWitness witness = new(_cluster, answered: false);
        witness.Answer(1, 2, 3);
        Assert.False(witness.Role.IsAsking);

        TestWitness lonely = new(_cluster, answered: false);
        Tick(lonely, 1_000);
        lonely.Answer(1, 2);
        Tick(lonely, 10_999);
        Assert.True(lonely.Role.IsAsking);
        Tick(lonely, 11_000);
        Assert.False(lonely.Role.IsAsking);
    }

    [Fact]
    public void W9_a_clock_that_went_back_starts_the_ten_seconds_anew()
    {
        TestWitness witness = new(_cluster, answered: false);
        witness.Answer(1, 2);
        Tick(witness, 5_000_000);
        Tick(witness, 1_000);
        Tick(witness, 10_999);
        Assert.True(witness.Role.IsAsking);
        Tick(witness, 11_000);
        Assert.False(witness.Role.IsAsking);
    }

    [Fact]
    public void W9_an_answer_to_an_earlier_run_does_not_count()
    {
        TestWitness witness = new(_cluster, answered: false);
        witness.Do((role, effects) =>
        {
            for (int peer = 1; peer < 4; peer++)
            {
                role.OnRecall(new WitnessIndex(peer), [], null, new Run(999), effects);
            }
        });

        Assert.True(witness.Role.IsAsking);
    }

    [Fact]
    public void W9_the_question_is_repeated_to_those_who_have_not_answered()
    {
        TestWitness witness = new(_cluster, answered: false);
        witness.OnPeer(2);
        Assert.Equal(new PeerRecall(new WitnessIndex(2), null, new Run(1), null), Assert.Single(witness.Out.Recalls));
        witness.Forget();

        witness.Answer(2);
        witness.OnTicks(25);

        Assert.Equal([1, 3], witness.Out.Recalls.Select(recall => recall.Peer.Value));
        Assert.All(witness.Out.Recalls, recall => Assert.Equal(new Run(1), recall.Asks));
    }

    [Fact]
    public void W9_a_witness_that_asks_answers_and_its_answer_asks_nothing()
    {
        TestWitness witness = new(_cluster, answered: false);
        witness.Do((role, effects) => role.OnRecall(new WitnessIndex(1), [], new Run(77), null, effects));

        Assert.Equal(new PeerRecall(new WitnessIndex(1), null, null, new Run(77)), Assert.Single(witness.Out.Recalls));
    }

    [Fact]
    public void W9_the_highest_root_of_a_peer_is_told_and_survives_a_restart()
    {
        TestWitness witness = new(_cluster);
        VerifiedAck low = _cluster.Ack(2, _stream[0].Reference);
        VerifiedAck high = _cluster.Ack(2, _stream[1].Reference);
        witness.OnAcks(high, low);
        witness.OnTicks(1);
        witness.Flush();
        witness.Restart();
        witness.OnPeer(2);

        AckBundle? told = witness.Out.Recalls[^1].Bundle;
        Assert.Equal(high.Root.Statement, told?.Root);
        Assert.Equal(high.Batch, Assert.Single(_cluster.Verify(told!)).Batch);
    }

    [Fact]
    public void W9_a_root_that_a_stored_certificate_carries_survives_a_restart_without_a_record_of_its_own()
    {
        TestWitness witness = new(_cluster, index: 3);
        VerifiedCertificate certificate = _cluster.Certify(_stream[0].Reference);
        witness.OnCertificate(certificate);
        witness.OnBatch(_stream[0]);
        witness.Flush();
        Assert.Empty(witness.Journal.OfType<PeerRootRecord>());
        witness.Restart();
        witness.OnPeer(1);

        Assert.Equal(certificate.AckOf(new WitnessIndex(1), _cluster.Committee)!.Root.Statement, witness.Out.Recalls[^1].Bundle?.Root);
        Assert.Single(_cluster.Verify(witness.Out.Recalls[^1].Bundle!));
    }

    [Fact]
    public void W9_a_wiped_witness_never_acks_again()
    {
        VerifiedAck forgotten = _cluster.Verify(_cluster.Bundle(0, new Run(55), new Mark(3), new AckStatement(_stream[0].Reference, Sequence.Zero)))[0];
        TestWitness wiped = new(_cluster, answered: false);
        wiped.OnBatch(_stream[0]);
        wiped.Flush();
        wiped.Do((role, effects) => role.OnRecall(new WitnessIndex(1), [forgotten], null, new Run(1), effects));
        wiped.Answer(1, 2, 3);
        wiped.OnBatch(_stream[1]);
        wiped.Flush();

        Assert.True(wiped.Out.HasLostMemory);
        Assert.Empty(wiped.Out.PeerAcks);
        Assert.Single(wiped.Journal.OfType<LostMemoryRecord>());

        wiped.Restart();
        wiped.Answer(1, 2, 3);
        wiped.OnBatch(_stream[1], _stream[2]);
        wiped.Flush();
        Assert.True(wiped.Role.HasLostMemory);
        Assert.Empty(wiped.Out.PeerAcks);
        Assert.Empty(wiped.Out.PublisherAcks);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void W9_lost_memory_shows_at_any_time_in_acks_and_in_certificates(bool inCertificate)
    {
        TestWitness witness = new(_cluster);
        witness.OnBatch(_stream[0]);
        witness.Flush();
        witness.Forget();
        if (inCertificate)
        {
            VerifiedAck mine = _cluster.Verify(_cluster.Bundle(0, new Run(55), new Mark(1), new AckStatement(_stream[0].Reference, Sequence.Zero)))[0];
            VerifiedAck[] acks = [mine, _cluster.Ack(1, _stream[0].Reference), _cluster.Ack(2, _stream[0].Reference)];
            QuorumCertificate certificate = new(_stream[0].Reference, _cluster.Committee.Epoch, [.. acks.Select(CertificateEntry.From)]);
            Assert.True(_cluster.Acks.TryVerify(certificate, out VerifiedCertificate? verified, out _));
            witness.OnCertificate(verified);
        }
        else
        {
            witness.OnAcks(_cluster.Verify(_cluster.Bundle(0, new Run(55), new Mark(1), new AckStatement(_stream[2].Reference, Sequence.Zero))));
        }

        witness.OnBatch(_stream[1]);
        witness.OnPeer(1);
        witness.Flush();

        Assert.True(witness.Out.HasLostMemory);
        Assert.Empty(witness.Out.PeerAcks);
        Assert.Empty(witness.Out.PeerResends);
    }

    [Fact]
    public void W9_with_lost_memory_what_is_certified_is_still_stored()
    {
        TestWitness witness = new(_cluster);
        witness.OnAcks(_cluster.Verify(_cluster.Bundle(0, new Run(55), new Mark(1), new AckStatement(_stream[0].Reference, Sequence.Zero))));
        witness.OnBatch(_stream[0]);
        witness.OnCertificate(_cluster.Certify(_stream[0].Reference, null, 1, 2, 3));
        witness.Flush();

        Assert.Equal(Sequence.Zero, witness.Tip);
    }

    [Fact]
    public void W9_marks_up_to_the_last_one_replayed_are_remembered_and_one_above_is_not()
    {
        TestWitness witness = new(_cluster);
        witness.OnBatch(_stream[0]);
        witness.Flush();
        Mark shown = witness.Out.PeerAcks[^1].Root.Mark;
        witness.Restart();

        witness.OnAcks(_cluster.Verify(_cluster.Bundle(0, new Run(1), shown, new AckStatement(_stream[0].Reference, Sequence.Zero))));
        Assert.False(witness.Role.HasLostMemory);

        witness.OnAcks(_cluster.Verify(_cluster.Bundle(0, new Run(1), new Mark(shown.Value + 1), new AckStatement(_stream[0].Reference, Sequence.Zero))));
        Assert.True(witness.Role.HasLostMemory);
    }

    private static void Tick(TestWitness witness, long now) => witness.Do((role, effects) => role.OnTick(now, effects));
}
