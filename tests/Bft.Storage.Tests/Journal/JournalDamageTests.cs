namespace Bft.Storage.Tests;

/// <summary>A disk that returns other bytes than were written. Whatever it does, no record is changed, moved or silently missing below the proven mark.</summary>
public sealed class JournalDamageTests
{
    private const int Page = 4096;

    /// <summary>Three records in each of five commits, in three segments; the last two commits share a segment.</summary>
    private const int Commits = 5;
    private readonly SimulatedDisk _disk = new();
    private readonly List<JournalPosition> _positions = [];

    public JournalDamageTests() => Fill(_disk, firstNumber: 3, _positions);

    [Fact]
    public void The_journal_is_as_the_tests_expect() => Assert.Equal(
        [(1, 4096), (2, 0), (2, 4096), (3, 0), (3, 4096)],
        _positions.Where((_, index) => index % 3 == 0).Select(position => ((int)position.Segment, (int)position.Offset - BlockHeader.Bytes)));

    [Fact]
    public void Every_single_bit_flip_is_found()
    {
        int damaged = 0;
        int torn = 0;
        int foundByReading = 0;
        foreach (string name in _disk.List())
        {
            byte[] bytes = _disk[name];
            foreach (int bit in UsedBits(bytes))
            {
                SimulatedDisk disk = With(name, Flipped(bytes, bit));
                ReplayedRecords replayed = new();
                try
                {
                    using Journal journal = Journal.Open(disk, JournalExtensions.Small, replayed);
                    int bad = replayed.All.Count(record => journal.Read(record.Body, new byte[record.Body.Length]).Status == JournalReadStatus.Damaged);
                    bool isTorn = replayed.All.Count == 3 * (Commits - 1) && bad == 0;
                    Assert.True(isTorn || (replayed.All.Count == 3 * Commits && bad == 1), $"{name}, bit {bit}: {replayed.All.Count} records, {bad} bad");
                    torn += isTorn ? 1 : 0;
                    foundByReading += bad;
                }
                catch (JournalDamageException damage)
                {
                    Assert.Equal(name, damage.File);
                    damaged++;
                }

                Assert.Equal(Enumerable.Range(3, replayed.All.Count), replayed.Numbers);
            }
        }

        // The last commit is 3 rows, 3 heads and 3 bodies long; of the four before, and the empty first one, only bodies are found later.
        Assert.Equal((80 + 39 + 18 + 60) * 8, torn);
        Assert.Equal(4 * 60 * 8, foundByReading);
        Assert.True(damaged > 4 * (80 + 39 + 12) * 8);
    }

    [Fact]
    public void A_cut_anywhere_in_the_last_commit_leaves_all_commits_before()
    {
        string last = _disk.List()[^1];
        byte[] bytes = _disk[last];
        for (int length = Page; length < bytes.Length; length++)
        {
            Assert.Equal(3 * (Commits - 1), Replayed(With(last, bytes[..length])).Count);
        }

        Assert.Equal(3 * Commits, Replayed(With(last, [.. bytes, .. new byte[300]])).Count);
    }

    [Fact]
    public void A_cut_in_the_last_segment_leaves_whole_commits_in_order()
    {
        string last = _disk.List()[^1];
        byte[] bytes = _disk[last];
        for (int length = 0; length < Page; length++)
        {
            IReadOnlyList<int> numbers = Replayed(With(last, bytes[..length]));
            Assert.Equal(Enumerable.Range(3, 3 * (length < UsedBytes(bytes, 0) ? 3 : 4)), numbers);
        }
    }

    [Fact]
    public void A_cut_in_an_earlier_segment_is_damage()
    {
        string name = _disk.List()[1];
        byte[] bytes = _disk[name];
        for (int length = 0; length < bytes.Length; length += 7)
        {
            Damaged(With(name, bytes[..length]));
        }
    }

    [Fact]
    public void A_missing_segment_is_damage()
    {
        foreach (string name in _disk.List().SkipLast(1))
        {
            SimulatedDisk disk = _disk.Clone();
            disk.Delete(name);
            Damaged(disk);
        }
    }

    [Fact]
    public void Swapped_or_repeated_blocks_are_damage()
    {
        string[] names = [.. _disk.List()];
        byte[] second = _disk[names[1]];
        byte[] third = _disk[names[2]];
        byte[] First(byte[] segment) => segment[..Page];
        byte[] Last(byte[] segment) => [.. segment[Page..], .. new byte[(2 * Page) - segment.Length]];

        Damaged(With(names[1], [.. Last(second), .. First(second)]));
        Damaged(With(names[1], [.. First(second), .. First(second)]));
        Damaged(With(names[1], [.. First(third), .. Last(second)]));
        Damaged(With(names[1], third));
        Damaged(With(names[2], [.. Last(third), .. First(third)]));
        Damaged(With(names[2], [.. First(third), .. First(third)]));
        Damaged(With(names[2], [.. First(third), .. Last(third), .. Last(third)]));
        Damaged(With(names[2], [.. First(third), .. Last(third), .. Last(second)]));
        Damaged(With("0000000000000004.journal", third));
        Damaged(With("0000000000000004.journal", second));
    }

    [Fact]
    public void Commits_of_another_history_of_the_same_journal_are_damage()
    {
        SimulatedDisk other = new();
        Fill(other, firstNumber: 100, []);
        string[] names = [.. _disk.List()];

        Damaged(With(names[1], other[names[1]]));
        Damaged(With(names[2], other[names[2]]));
        Damaged(With(names[2], other[names[2]][..Page]));
        Damaged(With(names[2], [.. _disk[names[2]][..Page], .. other[names[2]][Page..]]));
        Damaged(With(names[1], [.. _disk[names[1]][..Page], .. other[names[1]][Page..]]));
    }

    [Fact]
    public void W9_a_torn_tail_is_cut_and_the_commit_before_it_is_rewritten()
    {
        string last = _disk.List()[^1];
        SimulatedDisk disk = With(last, _disk[last][..^1]);

        Assert.Equal(3 * (Commits - 1), Replayed(disk).Count);

        Assert.DoesNotContain(disk.List(), name => name == last); // its first commit was the tail then, and is in a segment of its own
        disk = With(last, [.. _disk[last], 1, 2, 3]);
        Assert.Equal(3 * Commits, Replayed(disk).Count);
        Assert.Equal(UsedBytes(_disk[last], 0), disk[last].Length);
    }

    [Fact]
    public void W9_a_torn_first_commit_of_a_segment_is_no_damage_when_its_deletion_is_undone()
    {
        using (Journal journal = Journal.Open(_disk, JournalExtensions.Small, new ReplayedRecords()))
        {
            journal.AppendNumbered(1000, 9000);
            journal.CommitAll();
            journal.AppendNumbered(1001, 9000);
            journal.CommitAll();
        }

        string last = _disk.List()[^1];
        byte[] bytes = _disk[last];
        SimulatedDisk disk = With(last, Flipped(bytes, 8 * 500));
        disk.PowerCutAt = OperationsToOpen(disk.Clone()) - 1; // all but the last flush of the directory
        Assert.Throws<PowerCutException>(() => Replayed(disk));
        disk.Crash(UnflushedFate.Lost);
        Assert.Contains(disk.List(), name => name == last);

        Assert.Equal((3 * Commits) + 1, Replayed(disk).Count);
        Assert.DoesNotContain(disk.List(), name => name == last);
    }

    [Fact]
    public void A_damaged_commit_before_one_that_was_being_written_is_damage()
    {
        // Commit 5 is torn but its header is there; so commit 4, damaged, had been durable.
        string last = _disk.List()[^1];
        byte[] bytes = _disk[last][..(Page + 100)];
        Damaged(With(last, Flipped(bytes, 8 * 40)));
    }

    [Fact]
    public void A_segment_of_another_journal_is_refused()
    {
        SimulatedDisk other = new();
        using (Journal journal = Journal.Open(other, JournalExtensions.Small with { NewId = new JournalId(8) }, new ReplayedRecords()))
        {
            journal.AppendNumbered(1, 20);
            journal.CommitAll();
        }

        string name = Assert.Single(other.List());
        foreach (string place in _disk.List().Append("0000000000000009.journal"))
        {
            Exception? refusal = Record.Exception(() => Replayed(With(place, other[name])));
            Assert.True(refusal is JournalMismatchException or JournalDamageException, $"{place}: {refusal}");
        }

        Assert.IsType<JournalMismatchException>(Record.Exception(() => Replayed(With(name, other[name]))));
    }

    [Fact]
    public void A_later_format_is_refused_and_not_taken_for_damage()
    {
        string name = _disk.List()[0];
        byte[] bytes = _disk[name];
        bytes[8] = 2;
        BitConverter.TryWriteBytes(bytes.AsSpan(76), Checksum.Of(bytes.AsSpan(0, 76)));

        JournalMismatchException refusal = Assert.Throws<JournalMismatchException>(() => Replayed(With(name, bytes)));
        Assert.Contains("version 2", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_of_which_nothing_is_readable_is_no_new_journal()
    {
        SimulatedDisk disk = new();
        disk["0000000000000002.journal"] = new byte[5000];
        Damaged(disk);

        disk = With(_disk.List()[0], new byte[Page]);
        disk.Delete(_disk.List()[1]);
        disk.Delete(_disk.List()[2]);
        Assert.Empty(Replayed(disk)); // what a crash leaves of a journal that was being created
    }

    [Fact]
    public void After_a_proof_damage_to_the_last_records_is_told_from_a_torn_write()
    {
        using (Journal journal = Journal.Open(_disk, JournalExtensions.Small, new ReplayedRecords()))
        {
            JournalCommit proof = journal.SealProof()!;
            proof.Perform();
            journal.OnDurable(proof);
        }

        string last = _disk.List()[^1];
        byte[] bytes = _disk[last];
        Damaged(With(last, Flipped(bytes, 8 * 40)));
        Assert.Equal(3 * Commits, Replayed(With(last, Flipped(bytes, 8 * (Page + 40)))).Count);
    }

    [Fact]
    public void A_header_that_promises_more_than_the_file_holds_allocates_nothing()
    {
        BlockHeader huge = new(new JournalId(7), 4, 6, 0, 0, Records: 1, BodyBytes: long.MaxValue - 500, HeadBytes: 200 << 20, TrailerChecksum: 0);
        byte[] bytes = new byte[Page];
        huge.Write(bytes);
        SimulatedDisk disk = With("0000000000000004.journal", bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal(3 * Commits, Replayed(disk).Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20 << 20);
    }

    private static void Fill(SimulatedDisk disk, int firstNumber, List<JournalPosition> positions)
    {
        using Journal journal = Journal.Open(disk, JournalExtensions.Small, new ReplayedRecords());
        for (int commit = 0; commit < Commits; commit++)
        {
            for (int record = 0; record < 3; record++)
            {
                positions.Add(journal.AppendNumbered(firstNumber + (3 * commit) + record, 20));
            }

            journal.CommitAll();
        }
    }

    private static int OperationsToOpen(SimulatedDisk disk)
    {
        Replayed(disk);
        return disk.Operations;
    }

    private static byte[] Flipped(byte[] bytes, int bit)
    {
        byte[] flipped = [.. bytes];
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        return flipped;
    }

    private static int UsedBytes(byte[] bytes, int page) => bytes.AsSpan(page, Math.Min(Page, bytes.Length - page)).LastIndexOfAnyExcept((byte)0) + 1;

    private static IEnumerable<int> UsedBits(byte[] bytes)
    {
        for (int page = 0; page < bytes.Length; page += Page)
        {
            for (int bit = 0; bit < 8 * UsedBytes(bytes, page); bit++)
            {
                yield return (8 * page) + bit;
            }
        }
    }

    private SimulatedDisk With(string name, byte[] bytes)
    {
        SimulatedDisk disk = _disk.Clone();
        disk[name] = bytes;
        return disk;
    }

    private static IReadOnlyList<int> Replayed(SimulatedDisk disk)
    {
        ReplayedRecords replayed = new();
        using Journal journal = Journal.Open(disk, JournalExtensions.Small, replayed);
        Assert.All(replayed.All, record => journal.ReadAll(record.Body));
        return replayed.Numbers;
    }

    private static void Damaged(SimulatedDisk disk)
    {
        int operations = disk.Operations;
        JournalDamageException damage = Assert.Throws<JournalDamageException>(() => Replayed(disk));
        Assert.Contains(damage.File, damage.Message, StringComparison.Ordinal);
        Assert.Equal(operations, disk.Operations); // nothing was touched
    }
}
