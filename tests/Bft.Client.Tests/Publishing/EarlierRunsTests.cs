using Bft.Client.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using RoleOptions = Bft.Protocol.Publishing.PublisherOptions;

namespace Bft.Client.Tests.Publishing;

public sealed class EarlierRunsTests : IDisposable
{
    private static readonly StreamId Current = new(Sha256.Hash("a stream that begins now"u8));
    private readonly TestCluster _cluster = new();
    private readonly TemporaryFolder _data = new();
    private readonly TestStream _stream;
    private readonly SentFrames _sent = new();
    private PublisherJournal? _journal;

    public EarlierRunsTests()
    {
        Directory.CreateDirectory(_data.Path);
        _stream = _cluster.Stream(incarnation: 5);
    }

    public void Dispose()
    {
        _journal?.Dispose();
        _cluster.Dispose();
        _data.Dispose();
    }

    [Fact]
    public void P7_a_journal_is_continued_when_nobody_shows_more_than_it_holds()
    {
        EarlierRuns runs = Runs(_stream.AppendMany(2));
        Show(runs, 0, _stream[0]);

        Assert.Null(runs.WhyNotContinued());
        Assert.Equal([_stream[0].Reference, _stream[1].Reference], runs.Continue().Stream.Uncovered.Select(batch => batch.Reference));
    }

    [Fact]
    public void P7_a_journal_below_an_incarnation_that_was_shown_is_not_continued_and_the_next_is_above_both()
    {
        TestStream later = _cluster.Stream(incarnation: 8);
        EarlierRuns runs = Runs(_stream.AppendMany(1));
        Show(runs, 0, later.Append());

        Assert.NotNull(runs.WhyNotContinued());
        Assert.Equal(later.Header.Incarnation, runs.Succeed().Above);
    }

    [Fact]
    public void W11_what_a_refusal_shows_counts_by_key_and_topic()
    {
        EarlierRuns runs = Runs(_stream.AppendMany(1));
        runs.OnShown([_cluster.Stream(publisher: 1, incarnation: 9).Append().Statement, _cluster.Stream(topic: "other", incarnation: 9).Append().Statement]);
        Assert.Null(runs.WhyNotContinued());

        runs.OnShown([_cluster.Stream(incarnation: 9).Append().Statement]);
        Assert.NotNull(runs.WhyNotContinued());
    }

    [Fact]
    public void P7_a_new_incarnation_links_to_what_the_journal_proves_and_every_witness_is_given_that_proof()
    {
        VerifiedBatch[] batches = _stream.AppendMany(2);
        EarlierRuns runs = Runs(batches, covered: batches[0]);
        runs.OnConnected(new WitnessIndex(0));
        Show(runs, 0, _cluster.Stream(incarnation: 8).Append());

        Assert.Equal(Ancestor.Link(_stream.Header.Incarnation, Sequence.Zero, batches[0].Digest), runs.Succeed().Link);
        runs.OnConnected(new WitnessIndex(2)); // W1: it acks nothing without

        Assert.Equal([0, 2], _sent.Frames.Where(sent => sent.Frame is CertifiedFrame).Select(sent => sent.To.Value));
    }

    [Fact]
    public void P7_what_is_not_certified_is_sent_again_beside_the_new_one_and_what_is_of_no_use_is_given_back()
    {
        EarlierRuns runs = Runs(_stream.AppendMany(2));
        SharedBody[] bodies = [.. runs.Held.Select(batch => (SharedBody)batch.BodyOwner!)];
        runs.OnConnected(new WitnessIndex(0));
        Show(runs, 0, _stream.Batch(1, Ancestor.Previous(_stream[0].Digest), "another in its slot")); // a copied key: neither is carried on
        Assert.NotNull(runs.WhyNotContinued());
        runs.Succeed();

        runs.FinishShown(Current);

        Assert.Equal([_stream[0].Reference.Slot], _sent.Batches.Select(sent => sent.Slot));
        Assert.Equal([false, true], bodies.Select(SharedBodies.IsGivenBack));
        runs.End();
        Assert.True(SharedBodies.IsGivenBack(bodies[0]));
    }

    [Fact]
    public void P6_when_a_stream_is_left_all_witnesses_are_asked_again()
    {
        EarlierRuns runs = Runs([]);
        foreach (int witness in _cluster.Quorum)
        {
            Show(runs, witness);
        }

        Assert.True(runs.IsAnswered);
        runs.Leave(new(_cluster.Committee, _stream.Header, _stream.Signer, new RoleOptions()), covered: null);
        Assert.False(runs.IsAnswered);
    }

    /// <summary>A start that finds these in its journal.</summary>
    private EarlierRuns Runs(VerifiedBatch[] batches, VerifiedBatch? covered = null)
    {
        using (PublisherJournal journal = Open())
        {
            journal.Append(_stream.Header.Incarnation);
            Array.ForEach(batches, batch => journal.Append(SharedBodies.Owned(_cluster, batch)));
            if (covered is not null)
            {
                journal.Append(_cluster.Certify(covered.Reference));
            }

            journal.Flush();
        }

        _journal = Open();
        return new EarlierRuns(_cluster.Committee, _stream.Header.Topic, _stream.Signer, Ed25519.Instance, new RoleOptions(), _journal, _cluster.Acks, _sent);
    }

    private PublisherJournal Open() => PublisherJournal.Open(FileDisk.At(_data.Path), new JournalId(7));

    private void Show(EarlierRuns runs, int witness, params VerifiedBatch[] originals) => runs.OnStanding(
        new WitnessIndex(witness),
        CheckedStanding.Check(_stream.Signer.PublicKey, _stream.Header.Topic, [.. originals.Select(batch => SignedStatement.From(batch.Statement))], [], _cluster.Batches, _cluster.Acks));
}
