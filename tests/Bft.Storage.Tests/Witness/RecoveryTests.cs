using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Storage.Tests;

/// <summary>S2: a start reads the last checkpoint, the pages that it names and what came after it; and what it does when they are damaged.</summary>
public sealed class RecoveryTests : IDisposable
{
    private const int MixesTried = 3;

    private readonly TestCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void S2_a_start_reads_a_small_share_of_a_long_journal()
    {
        const int Batches = 400;
        const int SegmentBytes = 1 << 20;
        using TemporaryDirectory directory = new();
        FileDisk disk = FileDisk.At(directory["data"]);
        TestStream stream = _cluster.Stream();
        using (StoringWitness witness = new(_cluster, disk, segmentBytes: SegmentBytes))
        {
            for (int i = 0; i < Batches; i++)
            {
                Store(witness, stream, 256 * 1024);
            }

            Assert.InRange(witness.Checkpoints, 50, 200);
        }

        long size = disk.List().Sum(name => new FileInfo(Path.Combine(disk.Directory, name)).Length);
        Assert.True(size > Batches * 256L * 1024);
        CountingDisk counting = new(disk);
        using StoringWitness again = new(_cluster, counting, segmentBytes: SegmentBytes, run: 2);
        Assert.InRange(counting.BytesRead, 1, 3L * SegmentBytes);
        Assert.InRange(counting.FilesOpened, 1, 40);
        CheckReads(again, stream);
    }

    [Theory]
    [InlineData(Loss.Page)]
    [InlineData(Loss.Bytes)]
    [InlineData(Loss.File)]
    public void S2_a_page_with_one_copy_left_is_read_and_written_anew(Loss loss)
    {
        SimulatedDisk disk = new();
        TestStream stream = Fill(disk);
        long[] copies = [.. CheckpointsOf(disk)];
        DamageCopies(0);
        using (StoringWitness witness = new(_cluster, disk, run: 2))
        {
            Assert.False(witness.Journal.Journal.WasScanned);
            Assert.True(witness.Journal.IsCheckpointDue);
            CheckAll(witness, stream);
            witness.Journal.Checkpoint(witness.Role);
        }

        // Now the same of the second copies may go too.
        DamageCopies(1);
        using StoringWitness again = new(_cluster, disk, run: 3);
        Assert.False(again.Journal.Journal.WasScanned);
        Assert.True(again.Journal.PagesRead > 5);
        CheckAll(again, stream);

        void DamageCopies(int which)
        {
            foreach (long segment in copies.Where((segment, i) => i % 2 == which && disk.List().Contains(SegmentName.Of(segment))))
            {
                Damage(disk, segment, loss);
            }
        }
    }

    [Theory]
    [InlineData(Loss.Page)]
    [InlineData(Loss.Bytes)]
    [InlineData(Loss.File)]
    public void S2_with_both_copies_lost_everything_is_replayed_where_it_is_there(Loss loss)
    {
        SimulatedDisk disk = new();
        TestStream stream = Fill(disk);
        foreach (long segment in CheckpointsOf(disk).ToArray())
        {
            Damage(disk, segment, loss);
        }

        CountingDisk counting = new(disk);
        using (StoringWitness witness = new(_cluster, counting, run: 2))
        {
            Assert.True(witness.Journal.Journal.WasScanned);
            Assert.True(witness.Journal.IsCheckpointDue);
            CheckAll(witness, stream);
            witness.Journal.Checkpoint(witness.Role);
        }

        long scanned = counting.BytesRead;
        CountingDisk after = new(disk);
        using StoringWitness again = new(_cluster, after, run: 3);
        Assert.False(again.Journal.Journal.WasScanned);
        CheckAll(again, stream);
        Assert.True(after.BytesRead < scanned);
    }

    [Fact]
    public void S2_with_both_copies_and_a_segment_lost_the_witness_does_not_start()
    {
        SimulatedDisk disk = new();
        Fill(disk);
        foreach (long segment in CheckpointsOf(disk).Append(2).ToArray())
        {
            Damage(disk, segment, Loss.File);
        }

        Assert.Throws<JournalDamageException>(() => new StoringWitness(_cluster, disk, run: 2));
    }

    [Fact]
    public void S2_with_retention_both_copies_lost_is_lost_memory()
    {
        SimulatedDisk disk = new();
        RetentionPolicy policy = new() { Bytes = 3000, HistoryAge = TimeSpan.FromSeconds(10) };
        TestStream stream = _cluster.Stream();
        using (StoringWitness witness = new(_cluster, disk, policy))
        {
            for (int i = 0; i < 30; i++)
            {
                Store(witness, stream, 1500);
                witness.Pass(2000);
            }
        }

        foreach (long segment in CheckpointsOf(disk).ToArray())
        {
            Damage(disk, segment, Loss.Bytes);
        }

        Assert.Throws<JournalDamageException>(() => new StoringWitness(_cluster, disk, policy, run: 2));
    }

    [Fact]
    public void S2_a_checkpoint_is_small_however_long_the_journal_is()
    {
        SimulatedDisk disk = new();
        TestStream stream = _cluster.Stream();
        using StoringWitness witness = new(_cluster, disk);
        List<long> sizes = [];
        for (int i = 0; i < 400; i++)
        {
            int before = witness.Checkpoints;
            Store(witness, stream, 900);
            if (witness.Checkpoints > before)
            {
                sizes.Add(witness.Journal.Journal.CheckpointBytes);
            }
        }

        // It names pages of two rows here, 16 bytes each, where it would hold the rows themselves, 52 bytes a batch; and merges some.
        Assert.True(sizes.Count > 50);
        Assert.InRange(sizes[^1], 1, 30_000);
        Assert.InRange(CheckpointsOf(disk).Count(), 2, 24);
        CheckReads(witness, stream);
    }

    [Fact]
    public void S2_without_retention_nothing_is_lost_whenever_the_power_goes_even_with_both_copies()
    {
        int operations = Script(new SimulatedDisk(), out _);
        Assert.InRange(operations, 100, 3000);
        for (int cut = 5; cut <= operations; cut += 5)
        {
            SimulatedDisk disk = new() { PowerCutAt = cut };
            Script(disk, out (TestStream Stream, int Stored, int Acked) promise);
            for (int mix = -2; mix < MixesTried; mix++)
            {
                SimulatedDisk after = disk.Clone();
                after.Crash(mix == -2 ? UnflushedFate.Lost : mix == -1 ? UnflushedFate.Kept : UnflushedFate.Mixed, mix);
                SimulatedDisk damaged = after.Clone();
                foreach (long segment in CheckpointsOf(damaged.Clone()))
                {
                    if (damaged.List().Contains(SegmentName.Of(segment)))
                    {
                        Damage(damaged, segment, mix % 2 == 0 ? Loss.File : Loss.Bytes);
                    }
                }

                foreach (SimulatedDisk each in new[] { after, damaged })
                {
                    using StoringWitness witness = new(_cluster, each, run: 9);
                    Assert.False(witness.Role.HasLostMemory);
                    if (promise.Acked > 0)
                    {
                        StreamLog log = witness.Log(promise.Stream);
                        Assert.True((int)log.End.Value >= promise.Stored, $"Cut at {cut}, mix {mix}: {log.End} instead of {promise.Stored}");
                        Assert.True((int)log.End.Value + log.RecordedAboveTip().Count() >= promise.Acked, $"Cut at {cut}, mix {mix}: an ack is forgotten");
                        CheckReads(witness, promise.Stream);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void S2_a_checkpoint_of_another_version_is_passed_over_where_everything_is_there_and_refused_by_name_where_not(int version, bool isCut)
    {
        SimulatedDisk disk = new();
        TestStream stream = Fill(disk);
        if (isCut)
        {
            disk.Delete(disk.List()[0]);
            disk.FlushDirectory();
        }

        using (Journal journal = Journal.Open(disk, new JournalOptions { NewId = new JournalId(7), SegmentBytes = 4096 }, new KeepAll()))
        {
            byte[] head = CheckpointRecords.Begin(new CheckpointHead(_cluster.Committee.Cluster, 0, 0, true, []));
            head[0] = (byte)version;
            JournalCommit commit = journal.SealCheckpoint(to => to.Append((byte)WitnessRecordKind.Checkpoint, version == 1 ? head.AsSpan(8) : head));
            commit.Perform();
            journal.OnDurable(commit);
        }

        if (isCut)
        {
            JournalMismatchException refusal = Assert.Throws<JournalMismatchException>(() => new StoringWitness(_cluster, disk, run: 2));
            Assert.Contains($"version {version}, this program reads version {CheckpointRecords.Version}", refusal.Message, StringComparison.Ordinal);
            return;
        }

        using StoringWitness witness = new(_cluster, disk, run: 2);
        Assert.True(witness.Journal.Journal.WasScanned);
        CheckAll(witness, stream);
    }

    private sealed class KeepAll : IJournalReplay
    {
        public void OnRecord(ulong mark, byte kind, ReadOnlySpan<byte> head, JournalPosition body)
        {
        }

        public bool IsNeeded(long segment) => true;
    }

    private int Script(SimulatedDisk disk, out (TestStream Stream, int Stored, int Acked) promise)
    {
        promise = (_cluster.Stream(), 0, 0);
        try
        {
            for (int run = 1; run <= 2; run++)
            {
                using StoringWitness witness = new(_cluster, disk, run: (ulong)run);
                for (int i = 0; i < 6; i++)
                {
                    witness.OnBatch(promise.Stream.Append(new string('x', 900)));
                    promise.Acked++;
                    Certify(witness, promise.Stream);
                    promise.Stored++;
                    witness.Pass(1000);
                }

                Assert.True(witness.Checkpoints > 1);
            }
        }
        catch (PowerCutException)
        {
        }

        return disk.Operations;
    }

    /// <summary>A journal of some segments and checkpoints, with records behind the last one; one batch is acked and not certified.</summary>
    private TestStream Fill(SimulatedDisk disk)
    {
        TestStream stream = _cluster.Stream();
        using StoringWitness witness = new(_cluster, disk);
        for (int i = 0; i < 20; i++)
        {
            Store(witness, stream, 900);
        }

        witness.OnBatch(stream.Append("acked"));
        witness.Journal.Checkpoint(witness.Role);
        Store(witness, _cluster.Stream(publisher: 1), 100);
        Assert.True(witness.Checkpoints > 3);
        Assert.False(witness.Journal.IsCheckpointDue);
        return stream;
    }

    /// <summary>Segments that hold copies of checkpoints, first and second in turn.</summary>
    private static IEnumerable<long> CheckpointsOf(SimulatedDisk disk)
    {
        foreach (string name in disk.List())
        {
            using IDiskFile file = disk.Open(name);
            if (SegmentName.TryParse(name, out long segment) && new BlockCursor(file, segment) is var cursor && cursor.TryAdvance() && cursor.Twin is not null)
            {
                yield return segment;
            }
        }
    }

    public enum Loss
    {
        /// <summary>A byte of the first page; heads, and so the checkpoint itself, are whole.</summary>
        Page,

        /// <summary>All bytes.</summary>
        Bytes,

        /// <summary>The name.</summary>
        File,
    }

    private static void Damage(SimulatedDisk disk, long segment, Loss loss)
    {
        if (loss == Loss.File)
        {
            disk.Delete(SegmentName.Of(segment));
            disk.FlushDirectory();
        }
        else
        {
            byte[] bytes = disk[SegmentName.Of(segment)];
            bytes.AsSpan(loss == Loss.Page ? BlockHeader.Bytes : 0, loss == Loss.Page ? 1 : bytes.Length).Fill(0x55);
            disk[SegmentName.Of(segment)] = bytes;
        }
    }

    private void Store(StoringWitness witness, TestStream stream, int bytes)
    {
        witness.OnBatch(stream.Append(new string('x', bytes)));
        Certify(witness, stream);
        witness.Pass(1);
    }

    /// <summary>By the others' acks: its own would name a run and mark that it knows nothing of.</summary>
    private void Certify(StoringWitness witness, TestStream stream) =>
        witness.Do((role, effects) => role.OnCertificate(_cluster.Certify(stream.Batches[^1].Reference, null, 1, 2, 3), [], effects));

    private static void CheckAll(StoringWitness witness, TestStream stream)
    {
        Assert.False(witness.Role.HasLostMemory);
        Assert.Equal(stream.Batches[^1].Sequence, witness.Log(stream).End);
        Assert.Equal(stream.Batches[^1].Reference, Assert.Single(witness.Log(stream).RecordedAboveTip()).Reference);
        Assert.Contains(witness.Acks, ack => ack.Batch == stream.Batches[^1].Reference);
        CheckReads(witness, stream);
    }

    private static void CheckReads(StoringWitness witness, TestStream stream)
    {
        StreamLog log = witness.Log(stream);
        for (Sequence sequence = log.FirstKept; sequence < log.End; sequence = sequence.Following)
        {
            VerifiedBatch batch = stream[(int)sequence.Value];
            Assert.True(log.ReadStatement(sequence).Bytes.Span.SequenceEqual(batch.Statement.Statement.Bytes.Span));
            StoredRange range = log.RangeFrom(sequence)!.Value;
            Assert.True(QuorumCertificate.TryParse(log.ReadCertificate(range).Span, out QuorumCertificate? certificate));
            Assert.Equal(range.To, certificate.Batch.Sequence);
            byte[] body = new byte[log.BodyLength(sequence)];
            log.ReadBody(sequence, body);
            Assert.True(body.AsSpan().SequenceEqual(batch.Body.Span));
        }
    }
}
