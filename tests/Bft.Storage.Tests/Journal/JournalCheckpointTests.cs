using System.Buffers.Binary;

namespace Bft.Storage.Tests;

/// <summary>S2: replay begins at a checkpoint that is kept twice; older segments are kept for reading, or deleted.</summary>
public sealed class JournalCheckpointTests
{
    private const int MixesTried = 6;

    /// <summary>What a replay amounts to: the sum of a checkpoint and of what came after it.</summary>
    private sealed class Total(params long[] needed) : IJournalReplay
    {
        public const byte CheckpointKind = 2;

        public int Sum { get; private set; }

        public int Checkpoints { get; private set; }

        public List<JournalPosition> Bodies { get; } = [];

        public void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body)
        {
            int number = BinaryPrimitives.ReadInt32LittleEndian(head);
            Checkpoints += kind == CheckpointKind ? 1 : 0;
            Sum = kind == CheckpointKind ? number : Sum + number;
            Bodies.Add(body);
        }

        public bool IsNeeded(long segment) => needed.Contains(segment);
    }

    [Fact]
    public void S2_replay_begins_at_the_checkpoint_and_bodies_from_before_it_are_read_still()
    {
        SimulatedDisk disk = new();
        JournalPosition early;
        using (Journal journal = Open(disk, new Total()))
        {
            early = Add(journal, 1, 3000);
            Add(journal, 2, 9000);
            journal.Checkpoint(each => Note(each, 3));
            Add(journal, 4, 10);
            Assert.Equal([1, 2], journal.Archive);
            Assert.Equal(JournalExtensions.BodyOf(1, 3000), journal.ReadAll(early));
        }

        Total total = new(early.Segment);
        using (Journal journal = Open(disk, total))
        {
            Assert.Equal((7, 1), (total.Sum, total.Checkpoints));
            Assert.Equal([early.Segment], journal.Archive);
            Assert.Equal(JournalExtensions.BodyOf(1, 3000), journal.ReadAll(early));
            journal.DropArchived([early.Segment]);
            Assert.Contains(SegmentName.Of(early.Segment), disk.List());
            Add(journal, 5, 10);
            Assert.Equal(JournalReadStatus.Dropped, journal.Read(early, new byte[3000]).Status);
            Assert.DoesNotContain(SegmentName.Of(early.Segment), disk.List());
        }
    }

    [Fact]
    public void S2_damage_to_a_segment_that_a_checkpoint_supersedes_is_no_lost_memory()
    {
        SimulatedDisk disk = new();
        JournalPosition early;
        using (Journal journal = Open(disk, new Total()))
        {
            early = Add(journal, 1, 3000);
            Add(journal, 2, 9000);
            journal.Checkpoint(each => Note(each, 3));
            Add(journal, 4, 10);
        }

        byte[] bytes = disk[SegmentName.Of(1)];
        Array.Clear(bytes);
        disk[SegmentName.Of(1)] = bytes;
        Total total = new(1, 2);
        using Journal opened = Open(disk, total);

        Assert.Equal(7, total.Sum);
        Assert.False(opened.IsTwinMissing);
        Assert.Equal(JournalReadStatus.Damaged, opened.Read(early, new byte[3000]).Status);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(0, false)]
    [InlineData(1, false)]
    public void S2_either_copy_of_a_checkpoint_may_be_lost_but_not_both(int lost, bool isFileGone)
    {
        SimulatedDisk disk = new();
        long first;
        using (Journal journal = Open(disk, new Total()))
        {
            Add(journal, 1, 3000);
            journal.Checkpoint(each => Note(each, 3));
            first = journal.Segments[0].Segment;
            Add(journal, 4, 10);
            Add(journal, 5, 10);
        }

        Damage(disk, first + lost, isFileGone);
        Total total = new(1);
        using (Journal journal = Open(disk.Clone(), total))
        {
            Assert.Equal((12, 1), (total.Sum, total.Checkpoints));
            Assert.True(journal.IsTwinMissing);
            journal.Checkpoint(each => Note(each, total.Sum));
            Assert.False(journal.IsTwinMissing);
        }

        Damage(disk, first + 1 - lost, isFileGone);
        Assert.Throws<JournalDamageException>(() => Open(disk, new Total()));
    }

    [Fact]
    public void S2_damage_behind_the_checkpoint_is_lost_memory()
    {
        SimulatedDisk disk = new();
        long first;
        using (Journal journal = Open(disk, new Total()))
        {
            journal.Checkpoint(each => Note(each, 3));
            first = journal.Segments[0].Segment;
            Add(journal, 4, 10);
            Add(journal, 5, 10);
        }

        Damage(disk, first + 2, isFileGone: false);
        Assert.Throws<JournalDamageException>(() => Open(disk, new Total()));
    }

    [Fact]
    public void S2_a_checkpoint_holds_whenever_the_power_goes()
    {
        int operations = Operations();
        Assert.True(operations > 40);
        for (int cut = 1; cut <= operations; cut++)
        {
            SimulatedDisk disk = new() { PowerCutAt = cut };
            int durable = 0;
            try
            {
                Run(disk, sum => durable = sum);
            }
            catch (PowerCutException)
            {
            }

            for (int mix = -2; mix < MixesTried; mix++)
            {
                SimulatedDisk after = disk.Clone();
                after.Crash(mix == -2 ? UnflushedFate.Lost : mix == -1 ? UnflushedFate.Kept : UnflushedFate.Mixed, mix);
                int sum = Recover(after);
                Assert.True(sum == durable || sum == Following(durable), $"Cut at {cut}, mix {mix}: {sum} instead of {durable}.");
                Assert.Equal(sum, Recover(after));
            }
        }
    }

    private static int Operations()
    {
        SimulatedDisk disk = new();
        Run(disk, _ => { });
        return disk.Operations;
    }

    /// <summary>Sums of 1, 2, 3 … in order.</summary>
    private static int Following(int sum)
    {
        int next = 1;
        for (int left = sum; left > 0; left -= next++)
        {
        }

        return sum + next;
    }

    private static int Recover(SimulatedDisk disk)
    {
        Total total = new(1, 2, 3, 4, 5, 6, 7, 8, 9);
        using Journal journal = Open(disk, total);
        Assert.All(total.Bodies, body => journal.ReadAll(body));
        return total.Sum;
    }

    private static void Run(SimulatedDisk disk, Action<int> durable)
    {
        int sum = 0;
        int number = 1;
        for (int round = 0; round < 2; round++)
        {
            Total total = new(1);
            using Journal journal = Open(disk, total);
            Assert.Equal(sum, total.Sum);
            Next(journal, 3000);
            Next(journal, 6000);
            journal.Checkpoint(each => Note(each, sum));
            journal.DropArchived(journal.Archive.Where(segment => segment > 1));
            Next(journal, 10);
            Next(journal, 9000);
            journal.Checkpoint(each => Note(each, sum));
            journal.DropArchived(journal.Archive.Where(segment => segment > 1));
        }

        void Next(Journal journal, int bytes)
        {
            Add(journal, number, bytes);
            sum += number++;
            durable(sum);
        }
    }

    private static void Damage(SimulatedDisk disk, long segment, bool isFileGone)
    {
        if (isFileGone)
        {
            disk.Delete(SegmentName.Of(segment));
            disk.FlushDirectory();
        }
        else
        {
            byte[] bytes = disk[SegmentName.Of(segment)];
            bytes[90] ^= 1;
            disk[SegmentName.Of(segment)] = bytes;
        }
    }

    private static Journal Open(SimulatedDisk disk, IJournalReplay replay) => Journal.Open(disk, JournalExtensions.Small, replay);

    private static void Note(Journal journal, int sum)
    {
        byte[] head = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(head, sum);
        journal.Append(Total.CheckpointKind, head);
    }

    private static JournalPosition Add(Journal journal, int number, int bytes)
    {
        byte[] head = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(head, number);
        JournalPosition position = journal.Append(1, head, JournalExtensions.BodyOf(number, bytes));
        journal.CommitAll();
        return position;
    }
}
