namespace Bft.Storage.Tests;

/// <summary>The power goes before every single operation on the disk, and what was not flushed is lost, kept or mixed.</summary>
public sealed class JournalCrashTests
{
    private const int MixesTried = 12;

    /// <summary>A run of a journal: rolls, drops, reopens. Keeps what it was promised.</summary>
    private sealed class Run(SimulatedDisk disk)
    {
        public int Appended { get; private set; }

        public int Durable { get; private set; }

        /// <value>Records below it may be gone.</value>
        public int Dropped { get; private set; }

        public ulong DurableMark { get; private set; }

        public void Go()
        {
            using (Journal journal = Journal.Open(disk, JournalExtensions.Small, new ReplayedRecords()))
            {
                Commit(journal, 300);
                Commit(journal, 3000, 10, 2000);
                Commit(journal, 9000);
                Commit(journal, 1);
            }

            using (Journal journal = Journal.Open(disk, JournalExtensions.Small, new ReplayedRecords()))
            {
                Commit(journal, 5000);
                int before = Appended;
                long segment = journal.Roll();
                Commit(journal, 0, 0);
                Dropped = before;
                journal.DropSegmentsBefore(segment);
                Commit(journal, 600);
                Commit(journal);
            }
        }

        private void Commit(Journal journal, params int[] bodies)
        {
            foreach (int bytes in bodies)
            {
                journal.AppendNumbered(Appended, bytes);
                Appended++;
            }

            JournalCommit commit = journal.SealProof()!;
            commit.Perform();
            journal.OnDurable(commit);
            Durable = Appended;
            DurableMark = journal.DurableMark;
        }
    }

    [Fact]
    public void W9_what_was_durable_is_replayed_once_and_in_order_whenever_the_power_goes()
    {
        int operations = OperationsOf(disk => new Run(disk).Go());
        Assert.True(operations > 30);
        for (int at = 0; at < operations; at++)
        {
            SimulatedDisk disk = new() { PowerCutAt = at };
            Run run = new(disk);
            Assert.Throws<PowerCutException>(run.Go);
            foreach ((UnflushedFate fate, int seed) in Fates())
            {
                SimulatedDisk crashed = disk.Clone();
                crashed.Crash(fate, seed);
                ReplayIsAsPromised(crashed, run, $"cut at {at}, {fate} {seed}");
            }
        }
    }

    [Fact]
    public void W9_the_power_may_go_again_while_the_journal_is_opened()
    {
        int operations = OperationsOf(disk => new Run(disk).Go());
        for (int at = 0; at < operations; at++)
        {
            SimulatedDisk disk = new() { PowerCutAt = at };
            Run run = new(disk);
            Assert.Throws<PowerCutException>(run.Go);
            foreach ((UnflushedFate fate, int seed) in Fates())
            {
                SimulatedDisk crashed = disk.Clone();
                crashed.Crash(fate, seed);
                int openings = OperationsOf(Open, crashed.Clone());
                for (int again = 0; again < openings; again++)
                {
                    SimulatedDisk twice = crashed.Clone();
                    twice.PowerCutAt = again;
                    Assert.Throws<PowerCutException>(() => Open(twice));
                    twice.Crash((UnflushedFate)((again + seed) % 3), seed + again);
                    ReplayIsAsPromised(twice, run, $"cut at {at}, {fate} {seed}, again at {again}");
                }
            }
        }
    }

    [Fact]
    public void W9_a_failed_operation_poisons_and_what_it_left_in_the_page_cache_is_rewritten_before_it_counts()
    {
        int operations = OperationsOf(disk => new Run(disk).Go());
        for (int at = 0; at < operations; at++)
        {
            SimulatedDisk disk = new() { FailAt = at };
            Run run = new(disk);
            Assert.Throws<DiskException>(run.Go);

            SimulatedDisk powerCut = disk.Clone();
            powerCut.Crash(UnflushedFate.Mixed, at);
            ReplayIsAsPromised(powerCut, run, $"failed at {at}, then a power cut");
            ReplayIsAsPromised(disk, run, $"failed at {at}, then a new process");
        }
    }

    [Fact]
    public void A_full_disk_loses_nothing_that_was_durable()
    {
        SimulatedDisk unlimited = new();
        new Run(unlimited).Go();
        int failures = 0;
        for (long capacity = 0; capacity < 60_000; capacity += 512)
        {
            SimulatedDisk disk = new() { CapacityBytes = capacity };
            Run run = new(disk);
            DiskException? full = Record.Exception(run.Go) as DiskException;
            Assert.True(full is null or { Errno: 28 });
            failures += full is null ? 0 : 1;

            _ = Record.Exception(() => Open(disk));
            disk.CapacityBytes = long.MaxValue;
            ReplayIsAsPromised(disk, run, $"full at {capacity}");
        }

        Assert.InRange(failures, 40, 110);
    }

    private static void ReplayIsAsPromised(SimulatedDisk disk, Run run, string story)
    {
        ReplayedRecords replayed = new();
        try
        {
            using Journal journal = Journal.Open(disk, JournalExtensions.Small, replayed);
            Assert.True(journal.DurableMark >= run.DurableMark, story);
            foreach (ReplayedRecords.Record record in replayed.All)
            {
                int number = BitConverter.ToInt32(record.Head);
                Assert.Equal(JournalExtensions.BodyOf(number, record.Body.Length), journal.ReadAll(record.Body));
            }
        }
        catch (JournalDamageException damage)
        {
            Assert.Fail($"{story}: {damage.Message}");
        }

        IReadOnlyList<int> numbers = replayed.Numbers;
        int first = numbers.Count > 0 ? numbers[0] : 0;
        Assert.True(first <= run.Dropped, story);
        Assert.Equal(Enumerable.Range(first, numbers.Count), numbers);
        Assert.True(first + numbers.Count >= run.Durable && first + numbers.Count <= run.Appended, $"{story}: {first} + {numbers.Count} of {run.Durable}");

        // What was replayed is durable, though the power goes again.
        disk.Crash(UnflushedFate.Lost);
        ReplayedRecords again = new();
        Journal.Open(disk, JournalExtensions.Small, again).Dispose();
        Assert.Equal(numbers, again.Numbers);
    }

    private static void Open(SimulatedDisk disk) => Journal.Open(disk, JournalExtensions.Small, new ReplayedRecords()).Dispose();

    private static int OperationsOf(Action<SimulatedDisk> run, SimulatedDisk? disk = null)
    {
        disk ??= new SimulatedDisk();
        int before = disk.Operations;
        run(disk);
        return disk.Operations - before;
    }

    private static IEnumerable<(UnflushedFate Fate, int Seed)> Fates() =>
        [(UnflushedFate.Lost, 0), (UnflushedFate.Kept, 0), .. Enumerable.Range(0, MixesTried).Select(seed => (UnflushedFate.Mixed, seed))];
}
