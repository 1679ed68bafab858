using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Tests.Publishing;

public sealed class InquiryTests : PublisherFixture
{
    private readonly Inquiry _inquiry;

    public InquiryTests() => _inquiry = new Inquiry(Cluster.Committee, Patience);

    [Fact]
    public void P7_it_takes_n_minus_f_different_witnesses()
    {
        Answer(0);
        Answer(1);
        Answer(1);
        Assert.False(_inquiry.IsAnswered);

        Answer(3);

        Assert.True(_inquiry.IsAnswered);
        Assert.Empty(_inquiry.Shown);
    }

    [Fact]
    public void P7_who_does_not_answer_is_asked_again_with_back_off_while_connected()
    {
        Assert.True(_inquiry.OnConnected(W(0)));
        Assert.True(_inquiry.OnConnected(W(1)));
        Answer(1);

        List<int> asked = [];
        for (int tick = 1; tick <= 7 * Patience.ResendFirstTicks; tick++)
        {
            IReadOnlyList<WitnessIndex> due = _inquiry.OnTick();
            Assert.DoesNotContain(W(1), due);
            asked.AddRange(due.Select(_ => tick));
        }

        Assert.Equal([10, 30, 70], asked);
        _inquiry.OnDisconnected(W(0));
        Assert.False(_inquiry.OnConnected(W(1)));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Empty(_inquiry.OnTick()));
    }

    [Fact]
    public void P7_an_answer_counts_by_its_proof()
    {
        TestStream ours = Cluster.Stream();
        VerifiedBatch batch = ours.Append();
        SignedStatement good = SignedStatement.From(batch.Statement);
        SignedStatement forged = new(good.Bytes, new Crypto.Signature(new byte[64]));
        SignedStatement others = SignedStatement.From(Cluster.Stream(publisher: 1).Append().Statement);
        SignedStatement elsewhere = SignedStatement.From(Cluster.Stream(topic: "other").Append().Statement);
        QuorumCertificate certificate = Cluster.Certify(batch.Reference).Certificate;

        CheckedStanding all = Check([good, others, elsewhere], [certificate]);
        CheckedStanding none = Check([forged, others, elsewhere], [certificate]);

        Assert.Equal([batch.Reference], all.Originals.Select(original => original.Reference));
        Assert.Equal([batch.Reference], all.Certificates.Select(shown => shown.Batch));
        Assert.Empty(none.Originals);
        Assert.Empty(none.Certificates);
    }

    [Fact]
    public void P7_a_chain_is_finished_from_a_covered_slot_or_from_zero_on()
    {
        VerifiedBatch[] rooted = Cluster.Stream(incarnation: 1).AppendMany(3);
        VerifiedBatch[] certified = Cluster.Stream(incarnation: 2).AppendMany(4);
        VerifiedBatch[] loose = Cluster.Stream(incarnation: 3).AppendMany(3);
        Answer(0, rooted[..2], certified[1..3]);
        Answer(1, rooted[2..], certified[3..], loose[1..]);
        _inquiry.OnStanding(W(2), new CheckedStanding([certified[1].Statement], [Cluster.Certify(certified[1].Reference)]));

        Assert.Equal([References(rooted), References(certified[2..]), []], _inquiry.Shown.Select(stream => stream.Unfinished().Select(statement => statement.Reference).ToArray()));
        Assert.Equal(certified[1].Reference, _inquiry.Certified!.Certificate!.Batch);
        Assert.Equal(3UL, _inquiry.Highest.Counter);
    }

    [Fact]
    public void P6_asking_again_forgets_all_but_what_a_new_incarnation_is_above_and_links_to()
    {
        VerifiedBatch certified = Cluster.Stream(incarnation: 1).Append();
        VerifiedBatch[] live = Cluster.Stream(incarnation: 2).AppendMany(2);
        _inquiry.OnStanding(W(0), new CheckedStanding([certified.Statement, .. live.Select(batch => batch.Statement)], [Cluster.Certify(certified.Reference)]));
        Answer(1);
        Answer(2);

        _inquiry.AskAgain();

        Assert.False(_inquiry.IsAnswered);
        Assert.Equal(2UL, _inquiry.Highest.Counter);
        Assert.Equal(certified.Reference, _inquiry.Certified!.Certificate!.Batch);
        Assert.Same(_inquiry.Certified, Assert.Single(_inquiry.Shown));
    }

    [Fact]
    public void P7_two_of_ours_in_one_slot_are_not_carried_on()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch first = stream.Append();
        VerifiedBatch one = stream.Append();
        VerifiedBatch other = stream.Batch(1, Ancestor.Previous(first.Digest), "other");
        Answer(0, [first, one]);
        Answer(1, [first, other]);

        Assert.Equal([first.Reference], _inquiry.Shown.Single().Unfinished().Select(statement => statement.Reference));
    }

    [Fact]
    public void P7_a_journal_is_behind_what_it_does_not_hold()
    {
        TestStream stream = Cluster.Stream();
        VerifiedBatch[] batches = stream.AppendMany(4);
        VerifiedStatement[] uncovered = [.. batches[2..].Select(batch => batch.Statement)];
        BatchRef covered = batches[1].Reference;
        ShownStream Shown(params VerifiedBatch[] shown)
        {
            ShownStream made = new(stream.Header);
            shown.ToList().ForEach(batch => made.Add(batch.Statement));
            return made;
        }

        Assert.False(Shown().IsAheadOf(covered, uncovered));
        Assert.False(Shown(batches).IsAheadOf(covered, uncovered));
        Assert.True(Shown(stream.Append()).IsAheadOf(covered, uncovered));
        Assert.True(Shown(batches[3]).IsAheadOf(covered, uncovered[..1]));
        Assert.True(Shown(stream.Batch(3, Ancestor.Previous(batches[2].Digest), "other")).IsAheadOf(covered, uncovered));
        Assert.True(Shown(stream.Batch(1, Ancestor.Previous(batches[0].Digest), "other")).IsAheadOf(covered, uncovered));
        Assert.True(Shown(batches[0]).IsAheadOf(null, []));
        ShownStream certified = Shown();
        certified.Add(Cluster.Certify(batches[3].Reference));
        Assert.False(certified.IsAheadOf(covered, uncovered));
        Assert.True(certified.IsAheadOf(covered, uncovered[..1]));
    }

    private static BatchRef[] References(VerifiedBatch[] batches) => [.. batches.Select(batch => batch.Reference)];

    private void Answer(int witness, params VerifiedBatch[][] originals) =>
        _inquiry.OnStanding(W(witness), new CheckedStanding([.. originals.SelectMany(chain => chain).Select(batch => batch.Statement)], []));

    private CheckedStanding Check(IEnumerable<SignedStatement> originals, IEnumerable<QuorumCertificate> certificates) =>
        CheckedStanding.Check(Signer.PublicKey, new Topic("orders"), originals, certificates, Cluster.Batches, Cluster.Acks);
}
