using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim.Tests.Checking;

/// <summary>Each checker accepts a sound history, and alone rejects the one that breaks its property.</summary>
public sealed class CheckerTests
{
    [Fact]
    public void A_sound_history_has_no_finding()
    {
        History history = new();
        VerifiedBatch first = history.Broadcast();
        VerifiedBatch second = history.Broadcast(after: first);
        VerifiedCertificate lower = history.Settle(first);
        history.DeliverToAll(first, lower);
        VerifiedCertificate upper = history.Settle(second);
        history.DeliverToAll(second, upper);
        history.All(checker => checker.OnCommitted(History.First, first.Reference.Stream, new Sequence(1)));
        history.All(checker => checker.OnCrashed(History.First));
        history.All(checker => checker.OnStarted(History.First));
        history.Deliver(History.First, second, upper, isPossibleRepeat: true);
        history.End();

        Assert.Empty(history.Found);
        Assert.Equal(13, Checkers.All().Select(checker => checker.Name).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Consistency_counts_what_acks_that_were_sent_could_certify()
    {
        // W3 lies, and W1 and W2 are on different sides: with W0 twice there would be two certificates.
        History history = new(faulty: 3);
        VerifiedBatch one = history.Broadcast();
        VerifiedBatch other = history.Batch(content: "another");
        history.All(checker => (checker as Consistency)?.OnSent(3, 0, new AcksFrame(history.SignAck(3, other, 0).Encode()), 1));
        foreach (int witness in (int[])[0, 1, 3])
        {
            history.All(checker => (checker as Consistency)?.OnSent(witness, 2, new AcksFrame(history.SignAck(witness, one, 0).Encode()), 1));
        }

        Assert.Empty(history.Found);
        foreach (int witness in (int[])[1, 2])
        {
            history.All(checker => (checker as Consistency)?.OnSent(witness, 0, new AcksFrame(history.SignAck(witness, other, 0).Encode()), 1));
        }

        Assert.Equal(["consistency"], history.Found);
    }

    [Fact]
    public void Consistency_follows_ancestry_down_to_the_base()
    {
        History history = new();
        VerifiedBatch one = history.Broadcast();
        VerifiedBatch other = history.Batch(content: "another");
        VerifiedBatch above = history.Batch(after: other);
        void Sent(int witness, VerifiedBatch batch, ulong from) =>
            history.All(checker => (checker as Consistency)?.OnSent(witness, 0, new AcksFrame(history.SignAck(witness, batch, from).Encode()), 1));
        foreach (int witness in (int[])[0, 1, 2])
        {
            Sent(witness, one, 0);
            Sent(witness, above, witness == 0 ? 1UL : 0);
        }

        history.SendBatch(above);
        Assert.DoesNotContain("consistency", history.Found);
        Sent(3, above, 0);

        // Three acks reach down to slot 0, where another batch is certified.
        history.SendBatch(above);
        Assert.Contains("consistency", history.Found);
    }

    [Fact]
    public void Integrity_knows_what_the_publisher_made()
    {
        // Certified, and never broadcast: somebody used the key.
        History history = new();
        VerifiedBatch batch = history.Batch();
        VerifiedCertificate certificate = history.Settle(batch);
        history.DeliverToAll(batch, certificate);
        history.End();

        Assert.Equal(["integrity"], history.Found);
    }

    [Fact]
    public void Validity_wants_every_broadcast_delivered()
    {
        History history = new();
        history.Broadcast();
        history.End();

        Assert.Equal(["validity"], history.Found);
    }

    [Fact]
    public void Totality_wants_at_all_what_one_delivered()
    {
        // The batch is of a publisher that is not correct, so nothing but totality asks for it.
        History history = new(faulty: History.Publisher);
        VerifiedBatch batch = history.Batch();
        VerifiedCertificate certificate = history.Settle(batch);
        history.Deliver(History.First, batch, certificate);
        history.End();

        Assert.Equal(["totality"], history.Found);
    }

    [Fact]
    public void Totality_wants_f_plus_one_witnesses_that_showed_a_receiver_what_it_delivers()
    {
        Assert.Equal(["totality"], FoundWith(certifiers: 3, shown: 1));
        Assert.Empty(FoundWith(certifiers: 3, shown: 2));
        Assert.Empty(FoundWith(certifiers: 4, shown: 1));

        static IReadOnlyList<string> FoundWith(int certifiers, int shown)
        {
            History history = new();
            VerifiedBatch batch = history.Broadcast();
            VerifiedCertificate certificate = history.Certify([.. Enumerable.Range(0, certifiers).Select(witness => history.Ack(witness, batch))]);
            for (int witness = 0; witness < shown; witness++)
            {
                history.Store(witness, batch, certificate);
            }

            history.DeliverToAll(batch, certificate);
            return history.Found;
        }
    }

    [Fact]
    public void Order_wants_no_gap()
    {
        History history = new();
        VerifiedBatch first = history.Broadcast();
        VerifiedBatch second = history.Broadcast(after: first);
        VerifiedCertificate lower = history.Settle(first);
        VerifiedCertificate upper = history.Settle(second);
        history.Deliver(History.First, second, upper);
        history.Deliver(History.First, first, lower);
        history.DeliverToAllBut(History.First, (first, lower), (second, upper));
        history.End();

        Assert.Equal(["order"], history.Found);
    }

    [Fact]
    public void No_duplication_wants_the_mark_after_a_restart()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        VerifiedCertificate certificate = history.Settle(batch);
        history.DeliverToAll(batch, certificate);
        history.All(checker => checker.OnCrashed(History.First));
        history.All(checker => checker.OnStarted(History.First));
        history.Deliver(History.First, batch, certificate, isPossibleRepeat: true);
        Assert.Empty(history.Found);

        history.All(checker => checker.OnCommitted(History.First, batch.Reference.Stream, new Sequence(1)));
        history.All(checker => checker.OnStarted(History.First));
        history.Deliver(History.First, batch, certificate, isPossibleRepeat: true);
        history.End();

        Assert.Equal(["no-duplication"], history.Found);
    }

    [Fact]
    public void Durability_sees_an_ack_before_its_record()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        history.Ack(0, batch, isDurable: false);

        Assert.Equal(["durability"], history.Found);
    }

    [Fact]
    public void Durability_wants_a_certificate_that_a_repair_brought_durable_before_it_is_shown()
    {
        // What rotted reached down to slot 0; the peer has a certificate of slot 0 itself, which no role ever recorded.
        Assert.Equal(["durability"], FoundWith(_ => { }));
        Assert.Equal(["durability"], FoundWith(repair => repair(false)));
        Assert.Empty(FoundWith(repair => repair(true)));

        static IReadOnlyList<string> FoundWith(Action<Action<bool>> happen)
        {
            History history = new();
            VerifiedBatch first = history.Broadcast();
            VerifiedCertificate lower = history.Certify([.. Enumerable.Range(0, 4).Select(witness => history.Ack(witness, first))]);
            history.Settle(history.Broadcast(after: first));
            happen(isDurable => history.Mend(1, lower, isDurable));
            history.Send(1, History.First, new CertifiedFrame(lower.Certificate.Bytes, []));
            return history.Found;
        }
    }

    [Fact]
    public void Durability_doubts_nothing_that_was_durable_when_a_repair_writes_it_again()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        AckBundle[] acks = [.. Enumerable.Range(0, 4).Select(witness => history.Ack(witness, batch))];
        VerifiedCertificate certificate = history.Certify(acks);
        history.Record(1, new CertificateRecord(certificate));
        history.Mend(1, certificate, isDurable: false);
        history.All(checker => checker.OnCrashed(1));
        history.All(checker => checker.OnStarted(1));
        history.Mend(1, certificate, isDurable: false);
        history.Send(1, History.First, new TipFrame(certificate.Certificate.Bytes));

        Assert.Empty(history.Found);
    }

    [Fact]
    public void Certificate_validity_looks_at_what_a_repair_brought()
    {
        History history = new(faulty: 3);
        VerifiedBatch batch = history.Broadcast();
        history.Mend(0, history.Certify(history.Ack(0, batch), history.Ack(1, batch), history.SignAck(2, batch, 0)), isDurable: true);

        Assert.Equal(["certificate-validity"], history.Found);
    }

    [Fact]
    public void Durability_sees_a_tip_that_a_restart_lost()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        history.DeliverToAll(batch, history.Settle(batch));
        history.All(checker => checker.OnCrashed(2));
        history.Forget(2, batch.Reference.Stream);
        history.All(checker => checker.OnStarted(2));

        Assert.Equal(["durability"], history.Found);
    }

    [Fact]
    public void Honest_equivocation_is_seen_across_restarts()
    {
        History history = new();
        VerifiedBatch one = history.Broadcast();
        VerifiedBatch other = history.Batch(content: "another");
        history.Ack(1, one);
        history.All(checker => checker.OnCrashed(1));
        history.All(checker => checker.OnStarted(1));
        history.Ack(1, other);

        Assert.Equal(["honest-equivocation"], history.Found);
    }

    [Fact]
    public void Certificate_validity_counts_distinct_witnesses()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        AckBundle first = history.Ack(0, batch);
        AckBundle second = history.Ack(1, batch);
        history.Send(History.First, new CertifiedFrame(History.CertificateOf(first, second).Bytes, []));

        Assert.Equal(["certificate-validity"], history.Found);
    }

    [Fact]
    public void Certificate_validity_knows_what_a_witness_never_showed()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        AckBundle hidden = history.SignAck(2, batch, 0);
        history.Send(History.First, new CertifiedFrame(History.CertificateOf(history.Ack(0, batch), history.Ack(1, batch), hidden).Bytes, []));

        Assert.Equal(["certificate-validity"], history.Found);
    }

    [Fact]
    public void Bounded_compares_amounts_with_their_bounds()
    {
        History history = new();
        history.All(checker => checker.OnAmount(0, "held bytes", 10, 10));
        Assert.Empty(history.Found);

        history.All(checker => checker.OnAmount(0, "held bytes", 11, 10));
        Assert.Equal(["bounded"], history.Found);
    }

    [Fact]
    public void Accountability_accepts_evidence_against_the_faulty_alone()
    {
        History history = new(faulty: 3);
        VerifiedBatch one = history.Batch();
        VerifiedBatch other = history.Batch(content: "another");
        VerifiedEvidence Against(int witness) => history.Evidence(new WitnessEquivocation(
            new AckWithChain(history.SignAck(witness, one, 0), []), new AckWithChain(history.SignAck(witness, other, 0), [])));
        VerifiedEvidence sound = Against(3);
        history.All(checker => checker.OnEvidence(0, sound));
        Assert.Empty(history.Found);

        VerifiedEvidence unsound = Against(2);
        history.All(checker => checker.OnEvidence(0, unsound));
        Assert.Equal(["accountability"], history.Found);
    }

    [Fact]
    public void Accountability_wants_f_plus_one_names_for_a_fork()
    {
        History history = new();
        VerifiedBatch one = history.Batch();
        VerifiedBatch other = history.Batch(content: "another");
        history.All(checker => (checker as Accountability)?.OnCovered(History.Publisher, one.Reference, null!));
        history.All(checker => (checker as Accountability)?.OnCovered(History.Publisher, other.Reference, null!));
        history.All(checker => (checker as Accountability)?.OnEnd());

        Assert.Equal(["accountability"], history.Found);
    }

    [Fact]
    public void No_crash_reports_what_was_thrown()
    {
        History history = new();
        history.All(checker => checker.OnThrew(0, new InvalidOperationException("a bug")));

        Assert.Equal(["no-crash"], history.Found);
    }

    [Fact]
    public void Fresh_acks_wait_for_the_answers_of_enough_peers()
    {
        History history = new();
        VerifiedBatch batch = history.Broadcast();
        history.Begin(2, run: 2, replayed: 5, answers: 1);
        history.Ack(2, batch);

        Assert.Contains("fresh-acks", history.Found);
    }

    [Fact]
    public void Fresh_acks_end_where_a_root_is_shown_that_the_disk_does_not_hold()
    {
        // Its disk was wiped: that one is faulty, and yet must not ack.
        History history = new(faulty: 2);
        VerifiedBatch batch = history.Broadcast();
        byte[] old = history.SignAck(2, batch, 0, run: 1, mark: 7).Encode();
        history.Begin(2, run: 2, replayed: 7);
        history.All(checker => checker.OnRecalled(2, 1, new RecallFrame(old)));
        history.Ack(2, batch);
        Assert.Empty(history.Found);

        history.Begin(2, run: 3, replayed: 0, isDiskLost: true);
        history.All(checker => checker.OnRecalled(2, 1, new RecallFrame(old)));
        history.Ack(2, batch);
        Assert.Equal(["fresh-acks"], history.Found);
    }

    [Fact]
    public void Fresh_acks_never_come_again_once_memory_is_lost()
    {
        History history = new(faulty: 2);
        VerifiedBatch batch = history.Broadcast();
        history.Record(2, new LostMemoryRecord(), isDurable: false);
        history.All(checker => checker.OnCrashed(2));
        history.Begin(2, run: 2, replayed: history.Mark - 1);
        history.Ack(2, batch);
        Assert.Empty(history.Found);

        history.Record(2, new LostMemoryRecord());
        history.All(checker => checker.OnCrashed(2));
        history.Begin(2, run: 3, replayed: 10_000);
        history.Ack(2, batch);
        Assert.Equal(["fresh-acks"], history.Found);
    }

    [Fact]
    public void Fresh_acks_are_none_for_a_publisher_proven_faulty()
    {
        History history = new(faulty: History.Publisher);
        VerifiedBatch one = history.Batch();
        VerifiedBatch other = history.Batch(content: "another");
        history.Ack(1, one);
        history.Record(1, new EvidenceRecord(history.Evidence(new PublisherEquivocation(SignedStatement.From(one.Statement), SignedStatement.From(other.Statement)))));
        Assert.Empty(history.Found);

        history.Ack(1, history.Batch(after: one));
        Assert.Equal(["fresh-acks"], history.Found);
    }

    [Fact]
    public void Fresh_acks_are_none_in_a_retired_incarnation()
    {
        History history = new();
        VerifiedBatch first = history.Broadcast();
        history.Settle(first);
        history.Record(1, new RetiredRecord(first.Statement.Statement.Header));
        Assert.Empty(history.Found);

        history.Ack(1, history.Broadcast(after: first));
        Assert.Equal(["fresh-acks"], history.Found);
    }

    [Fact]
    public void Fresh_acks_keep_an_incarnation_live_for_half_a_minute()
    {
        History history = new();
        VerifiedBatch first = history.Broadcast();
        history.Ack(1, first);
        history.Record(1, new RetiredRecord(first.Statement.Statement.Header));

        Assert.Equal(["fresh-acks"], history.Found);
    }

    [Fact]
    public void Fresh_acks_follow_a_link_to_what_is_stored()
    {
        History history = new();
        VerifiedBatch target = history.Broadcast();
        VerifiedBatch linked = history.Batch(start: Ancestor.Link(new Incarnation(1, 1), Sequence.Zero, target.Digest), incarnation: 2);
        VerifiedBatch loose = history.Batch(start: Ancestor.Link(new Incarnation(1, 1), new Sequence(1), target.Digest), incarnation: 3);
        history.Settle(target);
        history.Ack(1, linked);
        Assert.Empty(history.Found);

        history.Ack(1, loose);
        Assert.Equal(["fresh-acks"], history.Found);
    }

    [Fact]
    public void Exit_codes_follow_the_order()
    {
        Assert.Equal(10, Checkers.ExitCodeOf("consistency"));
        Assert.Equal(21, Checkers.ExitCodeOf("no-crash"));
        Assert.Equal(22, Checkers.ExitCodeOf("fresh-acks"));
        Assert.Throws<ArgumentException>(() => Checkers.ExitCodeOf("beauty"));
    }
}
