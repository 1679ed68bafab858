using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Storage.Tests;

/// <summary>S2 over the role, the store and the journal of a witness.</summary>
public sealed class RetentionTests : IDisposable
{
    private const int MixesTried = 3;
    private static readonly RetentionPolicy ByBytes = new() { Bytes = 4000 };

    private readonly TestCluster _cluster = new();
    private readonly SimulatedDisk _disk = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void S2_bytes_cut_the_oldest_bodies_over_all_streams_of_a_topic_and_keep_statements()
    {
        using StoringWitness witness = new(_cluster, _disk, ByBytes);
        TestStream first = _cluster.Stream();
        TestStream second = _cluster.Stream(publisher: 1);
        for (int i = 0; i < 6; i++)
        {
            Store(witness, first, 500);
            witness.Pass(2000);
            Store(witness, second, 500);
            witness.Pass(2000);
        }

        StreamLog log = witness.Log(first);
        Assert.InRange(log.Floor.Value, 1UL, 5UL);
        Assert.InRange(witness.Log(second).Floor.Value, log.Floor.Value - 1, log.Floor.Value);
        Assert.True(KeptBytes(witness, first) + KeptBytes(witness, second) <= 4000);
        Assert.Equal(Sequence.Zero, log.FirstKept);
        CheckReads(witness, first);
        CheckReads(witness, second);
        Assert.Throws<StoreDamageException>(() => log.ReadBody(Sequence.Zero, new byte[first[0].Body.Length]));
        Assert.True(QuorumCertificate.TryParse(log.ReadFloorCertificate(log.Floor).Span, out QuorumCertificate? proof));
        Assert.Equal(log.Floor, proof.Batch.Sequence.Following);
    }

    [Fact]
    public void S2_as_many_bytes_as_are_kept_cut_nothing_and_one_more_cuts_a_range()
    {
        int length = _cluster.Stream(publisher: 1).Append(Text(500)).Body.Length;
        using StoringWitness witness = new(_cluster, _disk, new RetentionPolicy { Bytes = 2 * length });
        TestStream stream = _cluster.Stream();
        Store(witness, stream, 500);
        Store(witness, stream, 500);
        witness.Pass(60_000);
        Assert.Equal(Sequence.Zero, witness.Log(stream).Floor);

        Store(witness, stream, 1);
        witness.Pass(60_000);
        Assert.Equal(new Sequence(1), witness.Log(stream).Floor);
    }

    [Fact]
    public void S2_age_cuts_bodies_and_the_longer_age_what_is_left_of_them()
    {
        using StoringWitness witness = new(_cluster, _disk, new RetentionPolicy { Age = TimeSpan.FromMinutes(1), HistoryAge = TimeSpan.FromMinutes(3) });
        TestStream stream = _cluster.Stream();
        Store(witness, stream, 500);
        Store(witness, stream, 500);
        witness.Pass(45_000);
        Store(witness, stream, 500);
        witness.Pass(20_000);

        Assert.Equal(new Sequence(2), witness.Log(stream).Floor);
        CheckReads(witness, stream);

        witness.Pass(1000_000); // however old the last range is, its certificate proves the floor
        Assert.Equal(new Sequence(3), witness.Log(stream).Floor);
        Assert.Equal(new Sequence(2), witness.Log(stream).FirstKept);
        Assert.Null(witness.Log(stream).RangeFrom(new Sequence(1)));
        CheckReads(witness, stream);

        Store(witness, stream, 500);
        Assert.Equal(new Sequence(4), witness.Log(stream).End);
    }

    [Fact]
    public void S2_a_jump_of_the_clock_cuts_nothing()
    {
        using StoringWitness witness = new(_cluster, _disk, new RetentionPolicy { Age = TimeSpan.FromMinutes(1) });
        TestStream stream = _cluster.Stream();
        Store(witness, stream, 500);
        witness.Jump(365L * 24 * 3600 * 1000);
        witness.Jump(-3_600_000);
        witness.Pass(30_000);

        Assert.Equal(Sequence.Zero, witness.Log(stream).Floor);
        witness.Pass(60_000);
        Assert.Equal(new Sequence(1), witness.Log(stream).Floor);
    }

    [Fact]
    public void S2_what_is_not_certified_is_never_cut()
    {
        using StoringWitness witness = new(_cluster, _disk, new RetentionPolicy { Bytes = 0, Age = TimeSpan.Zero });
        TestStream stream = _cluster.Stream();
        Store(witness, stream, 500);
        witness.OnBatch(stream.Append(Text(900)));
        witness.Pass(60_000);

        StreamLog log = witness.Log(stream);
        Assert.Equal((log.End, new Sequence(1)), (log.Floor, log.End));
        Assert.Equal(stream[1].Reference, Assert.Single(log.RecordedAboveTip()).Reference);
    }

    [Fact]
    public void S2_the_disk_that_is_used_is_bounded()
    {
        using StoringWitness witness = new(_cluster, _disk, new RetentionPolicy { Bytes = 4000, HistoryAge = TimeSpan.FromSeconds(10) });
        TestStream slow = _cluster.Stream(publisher: 1, topic: "slow");
        TestStream stream = _cluster.Stream();
        witness.OnBatch(slow.Append(Text(300)));
        long most = 0;
        for (int i = 0; i < 120; i++)
        {
            Store(witness, stream, 1500);
            witness.Pass(1000);
            most = Math.Max(most, _disk.List().Sum(name => (long)_disk[name].Length));
        }

        Assert.True(witness.Checkpoints > 3);
        Assert.True(most < 120_000, $"{most} bytes");
        CheckReads(witness, stream);
        Assert.Equal(slow[0].Reference, Assert.Single(witness.Log(slow).RecordedAboveTip()).Reference);
    }

    [Fact]
    public void S2_a_checkpoint_remembers_acks_floors_tips_lists_and_evidence()
    {
        NodeLimits two = new() { LiveIncarnationsMax = 2 };
        TestStream[] streams = [.. Enumerable.Range(1, 4).Select(incarnation => _cluster.Stream(incarnation: (ulong)incarnation))];
        TestStream forked = _cluster.Stream(publisher: 2);
        using (StoringWitness witness = new(_cluster, _disk, ByBytes, limits: two))
        {
            Store(witness, streams[0], 1500);
            Store(witness, streams[0], 1500);
            Store(witness, streams[0], 1500);
            witness.OnBatch(streams[1].Append(Text(800)), streams[1].Append(Text(800)));
            witness.Pass(40_000);
            witness.OnBatch(streams[0].Append(Text(100)));
            witness.OnBatch(streams[2].Append(Text(100))); // retires 2
            witness.OnBatch(forked.Append());
            witness.OnBatch(forked.Batch(0, Ancestor.None, "other"));
            witness.Journal.Checkpoint(witness.Role);
            Assert.DoesNotContain(witness.Refusals, refusal => refusal.Reason == RefusalReason.Full);
        }

        // Everything from before the checkpoint may rot: it is not replayed, and bodies are read when asked for.
        using StoringWitness again = new(_cluster, _disk, ByBytes, limits: two, run: 2);
        Assert.Equal(new Sequence(3), again.Log(streams[0]).End);
        Assert.NotEqual(Sequence.Zero, again.Log(streams[0]).Floor);
        CheckReads(again, streams[0]);
        Assert.Equal(1, again.Journal.EvidenceCount);

        // Acks above the tip are signed again, under the new run, with their bases.
        Assert.Equal(
            [streams[0][3].Reference, streams[1][0].Reference, streams[1][1].Reference, streams[2][0].Reference, forked[0].Reference],
            again.Acks.OrderBy(ack => Array.FindIndex(streams, stream => stream.Id == ack.Batch.Stream) is var at && at < 0 ? 9 : at).ThenBy(ack => ack.Batch.Sequence).Select(ack => ack.Batch));
        Assert.Equal(Sequence.Zero, again.Acks.Single(ack => ack.Batch == streams[1][1].Reference).Base);

        // Another batch in an acked slot, one at the tip, a retired and a newer incarnation.
        int acks = again.Acks.Count;
        again.OnBatch(streams[1].Batch(1, Ancestor.Previous(streams[1][0].Digest), "another"));
        Assert.Equal(RefusalReason.Conflict, again.Refusals[^1].Reason);
        again.OnBatch(streams[0].Batch(2, Ancestor.Previous(streams[0][1].Digest), "another"));
        again.OnBatch(streams[1].Batch(2, Ancestor.Previous(streams[1][1].Digest), "next"));
        Assert.Equal(RefusalReason.Retired, again.Refusals[^1].Reason);
        again.OnBatch(streams[3].Append());
        Assert.Equal(RefusalReason.Full, again.Refusals[^1].Reason);
        again.OnBatch(forked.Append());
        Assert.Equal(acks, again.Acks.Count);
        again.OnBatch(streams[0].Append());
        Assert.Equal(streams[0][4].Reference, again.Acks[^1].Batch);
    }

    [Fact]
    public void S2_a_retired_stream_whose_bodies_are_all_cut_stays_and_is_never_acked_in_again()
    {
        NodeLimits one = new() { LiveIncarnationsMax = 1 };
        RetentionPolicy brief = new() { Age = TimeSpan.FromSeconds(10), HistoryAge = TimeSpan.FromSeconds(20) };
        TestStream old = _cluster.Stream(incarnation: 1);
        using (StoringWitness witness = new(_cluster, _disk, brief, limits: one))
        {
            Store(witness, old, 100);
            Store(witness, old, 100);
            Store(witness, _cluster.Stream(incarnation: 2), 100); // retires 1
            witness.Pass(200_000);
            witness.Journal.Checkpoint(witness.Role);
        }

        using StoringWitness again = new(_cluster, _disk, brief, limits: one, run: 2);
        Assert.Equal(old[1].Reference, again.Log(old).Tip);
        Assert.Equal(new Sequence(2), again.Log(old).Floor);

        int acks = again.Acks.Count;
        again.OnBatch(old.Append());
        Assert.Equal(RefusalReason.Retired, again.Refusals[^1].Reason);
        Assert.Equal(acks, again.Acks.Count);
    }

    [Fact]
    public void S2_damage_before_the_checkpoint_is_no_lost_memory_and_is_never_served()
    {
        TestStream stream = _cluster.Stream();
        using (StoringWitness witness = new(_cluster, _disk))
        {
            for (int i = 0; i < 5; i++)
            {
                Store(witness, stream, 700);
            }

            witness.Journal.Checkpoint(witness.Role);
            foreach (long segment in witness.Journal.Journal.Archive)
            {
                byte[] bytes = _disk[SegmentName.Of(segment)];
                Array.Fill(bytes, (byte)0x55);
                _disk[SegmentName.Of(segment)] = bytes;
            }
        }

        using StoringWitness again = new(_cluster, _disk, run: 2);
        Assert.Equal(new Sequence(5), again.Log(stream).End);
        Assert.Throws<StoreDamageException>(() => again.Log(stream).ReadStatement(Sequence.Zero));
        Store(again, stream, 100);
        Assert.Equal(new Sequence(6), again.Log(stream).End);
    }

    [Fact]
    public void S2_nothing_that_was_promised_is_lost_whenever_the_power_goes()
    {
        int operations = Script(new SimulatedDisk(), new Promise());
        Assert.InRange(operations, 150, 2000);
        for (int cut = 5; cut <= operations; cut += 1 + (cut % 2))
        {
            SimulatedDisk disk = new() { PowerCutAt = cut };
            Promise promise = new();
            try
            {
                Script(disk, promise);
            }
            catch (PowerCutException)
            {
            }

            for (int mix = -2; mix < MixesTried; mix++)
            {
                SimulatedDisk after = disk.Clone();
                after.Crash(mix == -2 ? UnflushedFate.Lost : mix == -1 ? UnflushedFate.Kept : UnflushedFate.Mixed, mix);
                Verify(after, promise, $"Cut at {cut}, mix {mix}");
            }
        }
    }

    /// <summary>What left the witness, and what it showed.</summary>
    private sealed class Promise
    {
        public Dictionary<Slot, Digest> Acked { get; } = [];

        public Dictionary<StreamId, (Sequence End, Sequence Floor)> Shown { get; } = [];

        public TestStream[] Streams { get; set; } = [];

        public void Note(StoringWitness witness)
        {
            foreach (AckStatement ack in witness.Acks)
            {
                Assert.Equal(ack.Batch.Digest, Acked.GetValueOrDefault(ack.Batch.Slot, ack.Batch.Digest));
                Acked[ack.Batch.Slot] = ack.Batch.Digest;
            }

            foreach (StreamLog log in witness.Store.Streams)
            {
                Shown[log.Header.Id] = (log.End, log.Floor);
            }
        }
    }

    private int Script(SimulatedDisk disk, Promise promise)
    {
        TestStream stream = _cluster.Stream();
        TestStream slow = _cluster.Stream(publisher: 1);
        promise.Streams = [stream, slow];
        RetentionPolicy policy = new() { Bytes = 3000, HistoryAge = TimeSpan.FromSeconds(20) };
        for (int run = 1; run <= 2; run++)
        {
            using StoringWitness witness = new(_cluster, disk, policy, run: (ulong)run) { Flushed = promise.Note };
            promise.Note(witness);
            for (int i = 0; i < 7; i++)
            {
                Store(witness, stream, 1300);
                if (i == 2)
                {
                    Store(witness, slow, 200);
                    witness.OnBatch(slow.Append(Text(200)));
                }

                witness.Pass(6000);
            }

            Assert.True(witness.Checkpoints > 0);
            if (run == 1)
            {
                slow = _cluster.Stream(publisher: 1, incarnation: 2);
                promise.Streams = [.. promise.Streams, slow];
            }
        }

        return disk.Operations;
    }

    private void Verify(SimulatedDisk disk, Promise promise, string when)
    {
        using StoringWitness witness = new(_cluster, disk, ByBytes, run: 9);
        foreach (TestStream stream in promise.Streams.Where(stream => promise.Shown.ContainsKey(stream.Id)))
        {
            StreamLog log = witness.Log(stream);
            (Sequence end, Sequence floor) = promise.Shown[stream.Id];
            Assert.True(log.End >= end && log.Floor >= floor && log.Floor <= log.End, $"{when}: {log.Floor}–{log.End} instead of {floor}–{end}");
            Assert.True(log.End.Value <= (ulong)stream.Batches.Count, $"{when}: {log.FirstKept} {log.Floor} {log.End} of {stream.Batches.Count}");
            CheckReads(witness, stream);
            foreach (VerifiedBatch batch in stream.Batches)
            {
                Ancestor ancestor = batch.Sequence.IsFirst ? Ancestor.None : Ancestor.Previous(stream[(int)batch.Sequence.Value - 1].Digest);
                witness.OnBatch(stream.Batch(batch.Sequence.Value, ancestor, "another"));
            }
        }

        Assert.DoesNotContain(witness.Acks, ack => promise.Acked.TryGetValue(ack.Batch.Slot, out Digest acked) && acked != ack.Batch.Digest);
        foreach ((Slot slot, Digest digest) in promise.Acked)
        {
            StreamLog log = witness.Store.TryFind(slot.Stream, out StreamLog? found) ? found : throw new InvalidOperationException(when);
            Assert.True(slot.Sequence < log.End || log.RecordedAboveTip().Any(statement => statement.Digest == digest), $"{when}: the ack of {slot} is forgotten.");
        }
    }

    private void Store(StoringWitness witness, TestStream stream, int bytes)
    {
        witness.OnBatch(stream.Append(Text(bytes)));
        witness.Certify(_cluster, stream.Batches[^1]);
    }

    private static string Text(int bytes) => new('x', bytes);

    private static long KeptBytes(StoringWitness witness, TestStream stream) =>
        stream.Batches.Where(batch => batch.Sequence >= witness.Log(stream).Floor).Sum(batch => (long)batch.Body.Length);

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
            if (sequence >= log.Floor)
            {
                byte[] body = new byte[log.BodyLength(sequence)];
                log.ReadBody(sequence, body);
                Assert.True(body.AsSpan().SequenceEqual(batch.Body.Span));
            }
        }
    }
}
