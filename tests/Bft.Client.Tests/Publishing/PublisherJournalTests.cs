using Bft.Client.Tests.Support;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Storage;

namespace Bft.Client.Tests.Publishing;

public sealed class PublisherJournalTests : IDisposable
{
    private const int SegmentBytes = 64 * 1024;
    private readonly TestCluster _cluster = new();
    private readonly TemporaryFolder _data = new();
    private readonly TestStream _stream;

    public PublisherJournalTests()
    {
        Directory.CreateDirectory(_data.Path);
        _stream = _cluster.Stream();
    }

    public void Dispose()
    {
        _cluster.Dispose();
        _data.Dispose();
    }

    [Fact]
    public void P2_many_short_runs_keep_no_more_than_one_long_run()
    {
        VerifiedCertificate? covered = null;
        for (int run = 0; run < 60; run++)
        {
            using PublisherJournal journal = Open();
            VerifiedBatch batch = Owned(_stream.Append());
            if (run == 0)
            {
                journal.Append(_stream.Header.Incarnation);
            }

            journal.Append(batch);
            Commit(journal, covered, batch);
            covered = _cluster.Certify(batch.Reference);
            journal.Append(covered);
            Commit(journal, covered);
            journal.Flush();
        }

        Assert.InRange(Directory.EnumerateFiles(_data.Path).Sum(file => new FileInfo(file).Length), 1, 3 * SegmentBytes);
        using PublisherJournal last = Open();
        RestoredStream? restored = Restore(last);
        Assert.Equal(_stream[59].Reference, restored?.Covered?.Batch);
        Assert.Empty(restored!.Uncovered);
    }

    [Fact]
    public void P2_a_journal_with_a_hole_or_with_batches_of_another_incarnation_is_not_continued()
    {
        TestStream other = _cluster.Stream(incarnation: 2);
        other.Append();
        _stream.AppendMany(3);
        Assert.Equal(2, Written(_stream[0], _stream[1])?.Uncovered.Count);
        Assert.Null(Written(_stream[0], _stream[2]));
        Assert.Null(Written(other[0]));
    }

    [Fact]
    public void P2_a_new_segment_begins_with_what_is_covered_and_all_that_is_not()
    {
        VerifiedBatch[] batches = _stream.AppendMany(8);
        VerifiedBatch[] owned = [.. batches.Select(batch => SharedBodies.Owned(_cluster, batch))];
        VerifiedCertificate covered = _cluster.Certify(batches[4].Reference, from: 0);
        using (PublisherJournal journal = PublisherJournal.Open(FileDisk.At(_data.Path), new JournalId(7), segmentBytes: 4096))
        {
            journal.Append(_stream.Header.Incarnation);
            Array.ForEach(owned, journal.Append);
            Commit(journal, covered, owned[5..]);
        }

        Assert.All(owned, batch => Assert.False(SharedBodies.IsGivenBack((SharedBody)batch.BodyOwner!)));
        Array.ForEach(owned, batch => batch.BodyOwner!.Dispose());
        Assert.All(owned, batch => Assert.True(SharedBodies.IsGivenBack((SharedBody)batch.BodyOwner!))); // the journal shares none any more
        using PublisherJournal found = Open();
        RestoredStream? restored = Restore(found);
        Assert.Equal(batches[4].Reference, restored?.Covered?.Batch);
        Assert.Equal(batches[5..].Select(batch => batch.Reference), restored!.Uncovered.Select(batch => batch.Reference));
    }

    [Fact]
    public void P7_what_was_given_up_is_never_continued()
    {
        using (PublisherJournal journal = Open())
        {
            journal.Append(_stream.Header.Incarnation);
            journal.Abandon();
            journal.Flush();
        }

        using (PublisherJournal journal = Open())
        {
            Assert.True(journal.Found.IsAbandoned);
            journal.Append(new Incarnation(9, 9));
            journal.Flush();
        }

        using PublisherJournal next = Open();
        Assert.False(next.Found.IsAbandoned);
        Assert.Equal(new Incarnation(9, 9), next.Found.Highest);
    }

    [Fact]
    public void P7_a_torn_end_is_remembered_by_the_start_after_the_next_too()
    {
        Written(_stream.Append());
        string segment = Directory.EnumerateFiles(_data.Path).Where(file => new FileInfo(file).Length > 0).Order(StringComparer.Ordinal).Last();
        File.AppendAllText(segment, new string('x', 8 * 1024)); // half of a commit

        for (int start = 0; start < 3; start++)
        {
            using PublisherJournal journal = Open();
            Assert.True(journal.Found.IsAbandoned, $"start {start}");
        }
    }

    private PublisherJournal Open() => PublisherJournal.Open(FileDisk.At(_data.Path), new JournalId(7), SegmentBytes);

    private RestoredStream? Restore(PublisherJournal journal) => journal.Found.TryRestore(journal, _stream.Header, _cluster.Batches, _cluster.Acks);

    /// <summary>What a start makes of a journal that holds these.</summary>
    private RestoredStream? Written(params VerifiedBatch[] batches)
    {
        Directory.Delete(_data.Path, recursive: true);
        Directory.CreateDirectory(_data.Path);
        using (PublisherJournal journal = Open())
        {
            journal.Append(_stream.Header.Incarnation);
            Array.ForEach(batches, batch => journal.Append(Owned(batch)));
            journal.Flush();
        }

        using PublisherJournal found = Open();
        return Restore(found);
    }

    private void Commit(PublisherJournal journal, VerifiedCertificate? covered, params VerifiedBatch[] uncovered)
    {
        while (journal.Seal(_stream.Header.Incarnation, covered, uncovered) is { } commit)
        {
            commit.Perform();
            journal.OnDurable(commit);
        }
    }

    private VerifiedBatch Owned(VerifiedBatch batch) => SharedBodies.Owned(_cluster, batch);
}
