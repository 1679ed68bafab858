using System.Buffers;

namespace Bft.Storage.Tests;

public sealed class JournalTests
{
    private readonly SimulatedDisk _disk = new() { Trace = new List<string>() };

    [Fact]
    public void Records_come_back_in_order_with_their_bodies()
    {
        using (Journal journal = Open(out _))
        {
            journal.Append(1, [1, 2], new byte[] { 3, 4, 5 });
            journal.Append(2, [], default(ReadOnlyMemory<byte>));
            Assert.Equal(1UL, journal.CommitAll());
            journal.Append(3, [6], new byte[5000]);
            Assert.Equal(2UL, journal.CommitAll());
        }

        using Journal again = Open(out ReplayedRecords replayed);

        Assert.Equal([(1UL, 1), (1UL, 2), (2UL, 3)], replayed.All.Select(record => (record.Mark, (int)record.Kind)));
        Assert.Equal([[1, 2], [], [6]], replayed.All.Select(record => record.Head));
        Assert.Equal([[3, 4, 5], [], new byte[5000]], replayed.All.Select(record => again.ReadAll(record.Body)));
        Assert.Equal(2UL, again.DurableMark);
    }

    [Fact]
    public void A_position_is_known_at_append_and_readable_once_durable()
    {
        using Journal journal = Open(out _);
        JournalPosition position = journal.AppendNumbered(1);
        Assert.Throws<InvalidOperationException>(() => journal.ReadAll(position));

        journal.CommitAll();

        Assert.Equal(JournalExtensions.BodyOf(1, 700), journal.ReadAll(position));
        ArrayBufferWriter<byte> writer = new();
        Assert.True(journal.Read(position, writer).IsOk);
        Assert.Equal(JournalExtensions.BodyOf(1, 700), writer.WrittenSpan.ToArray());
    }

    [Fact]
    public void A_durable_body_is_readable_while_the_next_commit_begins_a_new_segment()
    {
        using Journal journal = Open(out _);
        JournalPosition full = journal.AppendNumbered(1, (int)JournalExtensions.Small.SegmentBytes);
        JournalCommit commit = journal.Seal()!;
        JournalPosition rolled = journal.AppendNumbered(2);
        commit.Perform();
        journal.OnDurable(commit);

        Assert.True(rolled.Segment > full.Segment);
        Assert.Equal(JournalExtensions.BodyOf(1, full.Length), journal.ReadAll(full));
        Assert.Throws<InvalidOperationException>(() => journal.ReadAll(rolled));
    }

    [Fact]
    public void A_body_in_pieces_is_one_body()
    {
        byte[] body = JournalExtensions.BodyOf(1, 3000);
        Piece first = new(body.AsMemory(0, 11));
        Piece last = first.Add(body.AsMemory(11, 0)).Add(body.AsMemory(11));
        using Journal journal = Open(out _);

        JournalPosition position = journal.Append(1, [], new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length));
        journal.CommitAll();

        Assert.Equal(body, journal.ReadAll(position));
    }

    [Fact]
    public void One_commit_is_outstanding_at_a_time_and_takes_all_that_waits()
    {
        using Journal journal = Open(out _);
        Assert.Null(journal.Seal());
        journal.AppendNumbered(1);
        JournalCommit first = journal.Seal()!;
        journal.AppendNumbered(2);
        journal.AppendNumbered(3);
        Assert.Null(journal.Seal());
        Assert.Throws<InvalidOperationException>(() => journal.OnDurable(first));

        first.Perform();
        Assert.Throws<InvalidOperationException>(first.Perform);
        Assert.Equal(0UL, journal.DurableMark);
        journal.OnDurable(first);
        Assert.Equal(1UL, journal.DurableMark);
        Assert.Equal(2UL, journal.CommitAll());

        Reopened(out ReplayedRecords replayed).Dispose();
        Assert.Equal([1UL, 2UL, 2UL], replayed.All.Select(record => record.Mark));
    }

    [Fact]
    public void A_full_segment_is_followed_by_another_and_a_large_commit_is_not_split()
    {
        using Journal journal = Open(out _);
        for (int number = 0; number < 6; number++)
        {
            journal.AppendNumbered(number, bodyBytes: number == 3 ? 30_000 : 3000);
            journal.CommitAll();
        }

        Assert.True(journal.Segments.Count > 2);
        using Journal again = Reopened(out ReplayedRecords replayed);
        Assert.Equal(Enumerable.Range(0, 6), replayed.Numbers);
        Assert.All(replayed.All, (record, number) =>
            Assert.Equal(JournalExtensions.BodyOf(number, number == 3 ? 30_000 : 3000), again.ReadAll(record.Body)));
    }

    [Fact]
    public void Dropped_segments_are_deleted_and_never_replayed()
    {
        using Journal journal = Open(out _);
        JournalPosition old = journal.AppendNumbered(1);
        journal.CommitAll();
        long segment = journal.Roll();
        Assert.Equal(segment, journal.AppendNumbered(2).Segment);
        Assert.Throws<InvalidOperationException>(() => journal.Roll());
        Assert.Throws<ArgumentException>(() => journal.DropSegmentsBefore(segment));
        JournalCommit first = journal.Seal()!;
        first.Perform();
        Assert.Throws<ArgumentException>(() => journal.DropSegmentsBefore(segment));
        journal.OnDurable(first);

        journal.DropSegmentsBefore(segment);
        journal.CommitAll();

        Assert.Equal(JournalReadStatus.Dropped, journal.Read(old, new byte[700]).Status);
        Assert.Equal([segment], journal.Segments.Select(each => each.Segment));
        Assert.Single(_disk.List());
        Reopened(out ReplayedRecords replayed).Dispose();
        Assert.Equal([2], replayed.Numbers);
    }

    [Fact]
    public void A_journal_that_is_opened_often_does_not_grow()
    {
        using (Journal journal = Open(out _))
        {
            journal.AppendNumbered(1);
            journal.CommitAll();
        }

        for (int run = 0; run < 5; run++)
        {
            Open(out ReplayedRecords replayed).Dispose();
            Assert.Equal([1], replayed.Numbers);
        }

        Assert.Equal(2, _disk.List().Count); // the empty first commit, and the record in a segment of its own
    }

    [Fact]
    public void A_journal_id_of_zero_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Journal.Open(_disk, new JournalOptions { NewId = default }, new ReplayedRecords()));

    [Fact]
    public void A_failed_write_or_flush_ends_the_journal_but_not_its_reading()
    {
        using Journal journal = Open(out _);
        JournalPosition position = journal.AppendNumbered(1);
        journal.CommitAll();
        journal.AppendNumbered(2);
        JournalCommit commit = journal.Seal()!;
        _disk.FailAt = _disk.Operations + 3; // after truncate, create and write

        DiskException cause = Assert.Throws<DiskException>(commit.Perform);

        Assert.Equal("flush", cause.Operation);
        Assert.True(journal.IsPoisoned);
        Assert.Same(cause, Assert.Throws<JournalPoisonedException>(() => journal.AppendNumbered(3)).InnerException);
        Assert.Throws<JournalPoisonedException>(() => journal.Seal());
        Assert.Throws<JournalPoisonedException>(() => journal.SealProof());
        Assert.Throws<JournalPoisonedException>(() => journal.OnDurable(commit));
        Assert.Equal(1UL, journal.DurableMark);
        Assert.Equal(JournalExtensions.BodyOf(1, 700), journal.ReadAll(position));
    }

    [Fact]
    public void A_segment_is_written_then_flushed_then_named_and_an_old_one_goes_last()
    {
        using Journal journal = Open(out _);
        journal.AppendNumbered(1);
        journal.CommitAll();
        journal.Roll();
        journal.AppendNumbered(2);
        journal.CommitAll();
        journal.DropSegmentsBefore(2);
        journal.CommitAll();

        string[] expected =
        [
            "flush .",
            "create 0000000000000001.journal", "write 0000000000000001.journal", "flush 0000000000000001.journal", "flush .",
            "write 0000000000000001.journal", "flush 0000000000000001.journal",
            "truncate 0000000000000001.journal",
            "create 0000000000000002.journal", "write 0000000000000002.journal", "flush 0000000000000002.journal", "flush .",
            "write 0000000000000002.journal", "flush 0000000000000002.journal", "delete 0000000000000001.journal",
        ];
        Assert.Equal(expected, _disk.Trace);
    }

    [Fact]
    public void Appending_allocates_nothing_and_copies_no_body()
    {
        using Journal journal = Open(out _);
        byte[] head = new byte[100];
        byte[] body = new byte[10_000];
        long allocated = 0;
        for (int commit = 0; commit < 4; commit++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int record = 0; record < 100; record++)
            {
                journal.Append(1, head, body.AsMemory(record));
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            journal.CommitAll();
        }

        Assert.Equal(0, allocated); // buffers have grown by then
    }

    private Journal Open(out ReplayedRecords replayed) => Journal.Open(_disk, JournalExtensions.Small, replayed = new ReplayedRecords());

    private Journal Reopened(out ReplayedRecords replayed)
    {
        _disk.Crash(UnflushedFate.Lost);
        return Open(out replayed);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Piece Add(ReadOnlyMemory<byte> memory)
        {
            Piece next = new(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
