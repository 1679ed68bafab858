using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Publishing;

public sealed class PublisherRefusalTests : PublisherFixture
{
    [Fact]
    public void P6_our_signature_on_another_batch_in_our_slot_is_a_lost_journal()
    {
        VerifiedBatch ours = Durable(1)[0];
        VerifiedBatch other = Other(0, Ancestor.None);
        Connect(0, 1);

        Refuse(2, ours, RefusalReason.Conflict, other.Statement);

        JournalLost lost = Assert.IsType<JournalLost>(Effects.End);
        Assert.Equal(ours.Reference, lost.Ours?.Reference);
        Assert.Equal(other.Reference, lost.Shown?.Reference);
        Assert.Equal(WaitReason.Ended, Role.WhyMustWait(1));
        Assert.Throws<InvalidOperationException>(() => Submit());

        // Nothing more leaves: it would only prove our own key faulty.
        Tick(100);
        Role.OnConnected(W(3), Effects);
        Assert.Empty(Effects.Sends);
    }

    [Fact]
    public void P6_our_signature_where_we_signed_nothing_is_a_lost_journal()
    {
        VerifiedBatch ours = Durable(1)[0];
        VerifiedBatch forgotten = Other(1, Ancestor.Previous(ours.Digest));

        Refuse(2, ours, RefusalReason.Conflict, forgotten.Statement);

        JournalLost lost = Assert.IsType<JournalLost>(Effects.End);
        Assert.Null(lost.Ours);
        Assert.Equal(forgotten.Reference, lost.Shown?.Reference);
    }

    [Fact]
    public void P6_a_certificate_for_what_we_did_not_sign_is_a_lost_journal()
    {
        VerifiedBatch ours = Durable(1)[0];
        VerifiedCertificate tip = Cluster.Certify(Other(7, Ancestor.Previous(ours.Digest)).Reference);

        Role.OnRefusal(W(1), Checked(new Refusal(ours.Reference.Slot, RefusalReason.BelowFloor, Certificate: tip.Certificate)), Effects);

        JournalLost lost = Assert.IsType<JournalLost>(Effects.End);
        Assert.Equal(tip.Batch, lost.Certificate?.Batch);
    }

    [Fact]
    public void P6_a_refusal_that_proves_nothing_is_not_believed()
    {
        VerifiedBatch ours = Durable(1)[0];
        VerifiedBatch foreign = Cluster.Stream(publisher: 1).Append();
        VerifiedBatch olderRun = Cluster.Stream(incarnation: 0).Append();
        SignedStatement forged = SignedStatement.From(Other(0, Ancestor.None).Statement) with { Signature = ours.Statement.Signature };

        Refuse(0, ours, RefusalReason.Conflict, original: null);
        Refuse(1, ours, RefusalReason.Conflict, foreign.Statement);
        Refuse(2, ours, RefusalReason.Conflict, olderRun.Statement);
        Refuse(3, ours, RefusalReason.Conflict, ours.Statement);
        Role.OnRefusal(W(0), Checked(new Refusal(ours.Reference.Slot, RefusalReason.Conflict, forged)), Effects);

        Assert.Null(Role.End);
        Assert.Empty(Effects.Refused);
        Assert.Equal(5, Effects.Ignored.Count(reason => reason == PublisherIgnored.ProvesNothing));
    }

    [Fact]
    public void P6_a_bad_certificate_in_a_refusal_is_left_out()
    {
        VerifiedBatch ours = Durable(1)[0];
        QuorumCertificate whole = Cluster.Certify(ours.Reference).Certificate;
        QuorumCertificate underQuorum = new(whole.Batch, whole.Epoch, [.. whole.Entries.Take(2)]);

        CheckedRefusal refusal = Checked(new Refusal(ours.Reference.Slot, RefusalReason.Conflict, Certificate: underQuorum));

        Assert.Null(refusal.Certificate);
    }

    [Fact]
    public void P6_the_certificate_in_a_refusal_covers()
    {
        VerifiedBatch ours = Durable(1)[0];

        Role.OnRefusal(W(0), Checked(new Refusal(ours.Reference.Slot, RefusalReason.Conflict, Certificate: Cluster.Certify(ours.Reference).Certificate)), Effects);

        Assert.Equal([0ul], Covered());
        Assert.Null(Role.End);
    }

    [Fact]
    public void P6_f_plus_1_permanent_refusals_are_an_error_and_fewer_are_not()
    {
        VerifiedBatch ours = Durable(1)[0];

        Refuse(3, ours, RefusalReason.NotAllowed);
        Refuse(3, ours, RefusalReason.NotAllowed);
        Assert.Empty(Effects.Refused);

        Refuse(1, ours, RefusalReason.NotAllowed);
        Refuse(0, ours, RefusalReason.NotAllowed);
        Assert.Equal([new BatchRefused(ours.Sequence, RefusalReason.NotAllowed)], Effects.Refused);
        Assert.Null(Role.End);
    }

    [Fact]
    public void P6_retriable_refusals_are_no_error()
    {
        VerifiedBatch ours = Durable(1)[0];

        foreach (int witness in Enumerable.Range(0, 4))
        {
            Refuse(witness, ours, RefusalReason.OutOfWindow);
            Refuse(witness, ours, RefusalReason.ShuttingDown);
            Refuse(witness, ours, RefusalReason.TooFarAhead);
        }

        Assert.Empty(Effects.Refused);
        Assert.Null(Role.End);
    }

    [Fact]
    public void P6_retired_by_f_plus_1_calls_for_a_new_incarnation()
    {
        VerifiedBatch ours = Durable(1)[0];

        Refuse(0, ours, RefusalReason.Retired);
        Assert.Null(Role.End);

        Refuse(1, ours, RefusalReason.Retired);
        Assert.Equal(new NewIncarnationNeeded(RefusalReason.Retired), Effects.End);
        Assert.Equal(WaitReason.Ended, Role.WhyMustWait(1));

        // What is under way may still be covered.
        Ack(ours, 0, 1, 2);
        Assert.Equal([0ul], Covered());
    }

    [Fact]
    public void P6_retired_by_one_calls_for_a_new_incarnation_when_nothing_is_covered_in_time()
    {
        VerifiedBatch[] batches = Durable(2);

        Refuse(0, batches[1], RefusalReason.Full);
        Tick(Patience.RetiredTicks - 1);
        Ack(batches[0], 1, 2, 3);
        Tick(Patience.RetiredTicks);
        Assert.Null(Role.End);

        Refuse(0, batches[1], RefusalReason.Full);
        Tick(Patience.RetiredTicks - 1);
        Assert.Null(Role.End);
        Tick(1);
        Assert.Equal(new NewIncarnationNeeded(RefusalReason.Full), Role.End);
    }

    [Fact]
    public void P6_a_lost_journal_is_said_even_after_a_retired_incarnation()
    {
        VerifiedBatch ours = Durable(1)[0];
        Refuse(0, ours, RefusalReason.Retired);
        Refuse(1, ours, RefusalReason.Retired);

        Refuse(2, ours, RefusalReason.Conflict, Other(0, Ancestor.None).Statement);

        Assert.IsType<JournalLost>(Role.End);
    }

    private CheckedRefusal Checked(Refusal refusal) => CheckedRefusal.Check(refusal, Cluster.Batches, Cluster.Acks);

    private void Refuse(int witness, VerifiedBatch batch, RefusalReason reason, VerifiedStatement? original = null) =>
        Role.OnRefusal(W(witness), Checked(new Refusal(batch.Reference.Slot, reason, original is null ? null : SignedStatement.From(original))), Effects);
}
