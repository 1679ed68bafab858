using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Storage.Tests;

/// <summary>Damage is found while the witness runs, and what comes in its place is there after any start.</summary>
public sealed class ScrubTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly SimulatedDisk _disk = new();
    private readonly TestStream _stream;

    public ScrubTests() => _stream = _cluster.Stream();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void A_whole_journal_is_read_to_its_last_sealed_block_and_nothing_is_found()
    {
        using StoringWitness witness = Filled();
        using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store);

        Assert.Empty(Round(scrub, out long bytes));
        Assert.Empty(Round(scrub, out long again));

        Assert.Equal(bytes, again);
        Assert.InRange(bytes, _disk.Bytes * 3 / 4, _disk.Bytes * 5 / 4);
        Assert.Equal(0, witness.Store.Damages.Count);
    }

    [Fact]
    public void A_round_goes_on_where_the_last_process_was()
    {
        using StoringWitness witness = Filled();
        using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store);
        while (scrub.Done < 5)
        {
            scrub.Next();
        }

        Round(scrub, out long rest);
        using Scrub other = new(_disk, witness.Journal.Journal, witness.Store, after: 5);
        Round(other, out long same);

        Assert.Equal(rest, same);
    }

    [Fact]
    public void Every_flipped_bit_of_a_sealed_segment_is_found_and_the_part_named_unless_it_is_a_head()
    {
        using StoringWitness witness = Filled();
        JournalPosition body = witness.Log(_stream).Index[new Sequence(3)].Body(witness.Log(_stream).StatementLength);
        string name = SegmentName.Of(body.Segment);
        byte[] whole = _disk[name];
        int used = whole.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        int parts = 0;
        for (int at = 0; at < used; at += 5)
        {
            byte[] bytes = [.. whole];
            bytes[at] ^= 4;
            _disk[name] = bytes;
            using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store, body.Segment - 1);
            Assert.Equal(body.Segment, Assert.Single(Round(scrub, out _)).Segment);
            parts += witness.Store.Damages.Count;
            bool isBody = at >= body.Offset && at < body.Offset + body.Length;
            DamagedPart part = new(_stream.Id, new Sequence(3));
            Assert.True(!isBody || witness.Store.Damages.Contains(part));
            Assert.InRange(witness.Store.Damages.Count, isBody ? 1 : 0, 1);
            while (witness.Store.Damages.After(default, 1) is { } found)
            {
                witness.Store.Damages.Remove(found.First);
            }
        }

        Assert.InRange(parts, used / 5 / 2, used / 5);
    }

    [Fact]
    public void A_missing_end_is_found()
    {
        using StoringWitness witness = Filled();
        long segment = witness.Log(_stream).Index[new Sequence(3)].Segment;
        byte[] whole = _disk[SegmentName.Of(segment)];
        foreach (int length in new[] { whole.Length - 1, whole.Length / 2, 1, 0 })
        {
            _disk[SegmentName.Of(segment)] = whole[..length];
            using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store, segment - 1);
            Assert.NotEmpty(Round(scrub, out _));
            Assert.True(witness.Store.Damages.Count > 0 || length > 1);
        }
    }

    [Fact]
    public void A_file_that_ends_with_an_earlier_block_is_shorter_than_what_is_stored_there()
    {
        using StoringWitness witness = Filled(segmentBytes: 64 * 1024);
        witness.Journal.Journal.Roll();
        witness.OnBatch(_cluster.Stream(publisher: 1).Append("in the next file"));
        StoredSlot last = witness.Log(_stream).Index[new Sequence(11)];
        long end = Ends(last.Segment).Last(end => end <= last.Offset);
        _disk[SegmentName.Of(last.Segment)] = _disk[SegmentName.Of(last.Segment)][..(int)end];
        using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store);

        Assert.Equal(last.Segment, Assert.Single(Round(scrub, out _)).Segment);

        Assert.True(witness.Store.Damages.Contains(new DamagedPart(_stream.Id, new Sequence(11))));
    }

    [Fact]
    public void A_last_block_that_is_lost_with_nothing_that_is_stored_is_missed_by_the_next_file()
    {
        using StoringWitness witness = Filled(segmentBytes: 64 * 1024);
        witness.Journal.Journal.Roll();
        witness.OnBatch(_stream.Append("acked"));
        witness.OnBatch(_stream.Append("acked too"));
        long segment = witness.Journal.Journal.CurrentSegment;
        foreach (int publisher in new[] { 1, 2 })
        {
            witness.Journal.Journal.Roll();
            witness.OnBatch(_cluster.Stream(publisher).Append("in a file of its own"));
        }

        string name = SegmentName.Of(segment);
        _disk[name] = _disk[name][..(int)Ends(segment)[^2]];
        using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store);

        Scrubbed found = Assert.Single(Round(scrub, out _));

        Assert.Equal(segment + 1, found.Segment);
        Assert.Contains("the file before ends with", found.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_that_is_written_to_is_left_alone()
    {
        using StoringWitness witness = Filled();
        witness.Journal.Journal.Roll();
        witness.OnBatch(_stream.Append("acked"));
        long open = witness.Journal.Journal.DurableSegment;
        Assert.Contains(SegmentName.Of(open), _disk.List());
        using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store);

        while (scrub.Next() is { Bytes: > 0 } step)
        {
            Assert.InRange(step.Segment, 1, open - 1);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void S2_what_is_mended_lies_in_the_journal_again_after_a_start_with_or_without_a_checkpoint(bool withCheckpoint, bool isScan)
    {
        Sequence slot = new(3);
        int before;
        using (StoringWitness witness = Filled())
        {
            StreamLog log = witness.Log(_stream);
            before = DamageAll(log);
            Assert.Equal(before, log.Index.Slots.Count + log.Index.Certificates.Count);
            Assert.Throws<StoreDamageException>(() => log.ReadStatement(slot));

            Mend(witness);

            Assert.Equal(0, witness.Store.Damages.Count);
            Assert.Equal(before, witness.Store.Damages.Mended);
            CheckReads(witness);
            if (withCheckpoint)
            {
                witness.Journal.Checkpoint(witness.Role);
            }
        }

        if (isScan)
        {
            foreach (string name in _disk.List().Where(IsCheckpoint).ToArray())
            {
                _disk[name] = new byte[_disk[name].Length];
            }

            // The records' own bodies, not their heads, are damaged: all can be replayed.
        }

        using StoringWitness again = new(_cluster, _disk, run: 2);
        Assert.Equal(isScan, again.Journal.Journal.WasScanned);
        CheckReads(again);
        again.Journal.Checkpoint(again.Role);
        CheckReads(again);
    }

    [Fact]
    public void S2_one_certificate_stands_for_several_and_the_slots_stay_covered()
    {
        using (StoringWitness witness = Filled())
        {
            StreamLog log = witness.Log(_stream);
            Damage(log.Index.Certificates[5].Position);
            Damage(log.Index.Certificates[6].Position);
            VerifiedCertificate wide = _cluster.Certify(_stream[8].Reference, from: 4);
            Assert.Equal(new Sequence(5), log.CoveredFrom(new Sequence(5)));

            witness.Journal.AppendMended(wide, new Sequence(5));
            witness.Pass(1);

            Assert.Equal(new Sequence(8), log.RangeFrom(new Sequence(5))!.Value.To);
            Assert.Equal(new Sequence(4), log.RangeFrom(new Sequence(4))!.Value.To);
            Assert.Equal(new Sequence(9), log.RangeFrom(new Sequence(9))!.Value.To);
            CheckReads(witness);
        }

        using StoringWitness again = new(_cluster, _disk, run: 2);
        Assert.Equal(new Sequence(8), again.Log(_stream).RangeFrom(new Sequence(6))!.Value.To);
        CheckReads(again);
    }

    [Fact]
    public void W9_damage_to_what_a_start_would_replay_is_no_lost_memory_when_it_is_found_in_time()
    {
        VerifiedBatch acked = null!;
        using (StoringWitness witness = Filled())
        {
            acked = _stream.Append("acked");
            witness.OnBatch(acked);
            witness.Journal.Journal.Roll();
            witness.OnBatch(_cluster.Stream(publisher: 1).Append("other"));
            long segment = witness.Journal.Journal.Segments[^2].Segment;
            byte[] bytes = _disk[SegmentName.Of(segment)];
            bytes.AsSpan(0, 100).Clear();
            _disk[SegmentName.Of(segment)] = bytes;
            Assert.Throws<JournalDamageException>(() => new StoringWitness(_cluster, _disk.Clone(), run: 2));

            using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store);
            Scrubbed found = Assert.Single(Round(scrub, out _));
            Assert.Equal(segment, found.Segment);
            Assert.True(witness.Journal.OnDamaged(segment));
            Assert.True(witness.Journal.IsCheckpointDue);
            witness.Journal.Checkpoint(witness.Role);
        }

        using StoringWitness again = new(_cluster, _disk, run: 2);
        again.OnBatch(acked, _stream.Batch(acked.Sequence.Value, Ancestor.Previous(_stream[_stream.Batches.Count - 2].Digest), "another"));
        Assert.Contains(again.Acks, ack => ack.Batch == acked.Reference);
        Assert.DoesNotContain(again.Acks, ack => ack.Batch.Sequence == acked.Sequence && ack.Batch != acked.Reference);
    }

    [Fact]
    public void S2_damage_to_one_copy_of_the_checkpoint_is_mended_by_the_next()
    {
        using StoringWitness witness = Filled();
        string[] copies = [.. _disk.List().Where(IsCheckpoint)];
        foreach (string copy in copies)
        {
            byte[] bytes = _disk[copy];
            bytes[90] ^= 1;
            _disk[copy] = bytes;
        }

        using Scrub scrub = new(_disk, witness.Journal.Journal, witness.Store);
        foreach (Scrubbed found in Round(scrub, out _))
        {
            witness.Journal.OnDamaged(found.Segment);
        }

        Assert.True(witness.Journal.IsCheckpointDue);

        witness.Journal.Checkpoint(witness.Role);
        witness.Journal.Checkpoint(witness.Role); // whose commit deletes what the one before gave up

        Assert.DoesNotContain(_disk.List(), copies.Contains);
        Assert.Empty(Round(scrub, out _));
        using StoringWitness again = new(_cluster, _disk, run: 2);
        Assert.False(again.Journal.Journal.WasScanned);
        CheckReads(again);
    }

    /// <param name="segmentBytes">By default a file has room for one block.</param>
    private StoringWitness Filled(int segmentBytes = 4096)
    {
        StoringWitness witness = new(_cluster, _disk, segmentBytes: segmentBytes);
        for (int i = 0; i < 12; i++)
        {
            witness.OnBatch(_stream.Append(new string('x', 900)));
            witness.Do((role, effects) => role.OnCertificate(_cluster.Certify(_stream[i].Reference, null, 1, 2, 3), [], effects));
            witness.Pass(1);
        }

        Assert.True(witness.Checkpoints > 1 || segmentBytes > 4096);
        return witness;
    }

    /// <summary>Where the blocks of a segment end.</summary>
    private List<long> Ends(long segment)
    {
        List<long> ends = [];
        using IDiskFile file = _disk.Open(SegmentName.Of(segment));
        for (BlockCursor cursor = new(file, segment); cursor.TryAdvance();)
        {
            ends.Add(cursor.End);
        }

        return ends;
    }

    private static List<Scrubbed> Round(Scrub scrub, out long bytes)
    {
        bytes = 0;
        List<Scrubbed> found = [];
        while (scrub.Next() is { Bytes: > 0 } step)
        {
            bytes += step.Fault is null ? step.Bytes : 0;
            if (step.Fault is not null)
            {
                found.Add(step);
            }
        }

        return found;
    }

    /// <summary>The first byte of each body and certificate.</summary>
    private int DamageAll(StreamLog log)
    {
        int damaged = 0;
        for (long row = 0; row < log.Index.Slots.Count; row++, damaged++)
        {
            Damage(log.Index.Slots[row].Statement(log.StatementLength));
            log.Check(new DamagedPart(log.Header.Id, new Sequence((ulong)row)));
        }

        for (long row = 0; row < log.Index.Certificates.Count; row++, damaged++)
        {
            Damage(log.Index.Certificates[row].Position);
            log.Check(new DamagedPart(log.Header.Id, new Sequence(log.Index.Certificates[row].Top), IsCertificate: true));
        }

        return damaged;
    }

    private void Damage(JournalPosition at)
    {
        byte[] bytes = _disk[SegmentName.Of(at.Segment)];
        bytes[at.Offset] ^= 1;
        _disk[SegmentName.Of(at.Segment)] = bytes;
    }

    private void Mend(StoringWitness witness)
    {
        while (witness.Store.Damages.After(default, 1) is { } found)
        {
            VerifiedBatch batch = _stream[(int)found.First.Sequence.Value];
            if (found.First.IsCertificate)
            {
                witness.Journal.AppendMended(_cluster.Certify(batch.Reference), witness.Log(_stream).CoveredFrom(batch.Sequence));
            }
            else
            {
                witness.Journal.AppendMended(batch.Statement, batch.Body);
            }
        }

        witness.Pass(1);
    }

    private bool IsCheckpoint(string name)
    {
        using IDiskFile file = _disk.Open(name);
        return SegmentName.TryParse(name, out long segment) && new BlockCursor(file, segment) is var cursor && cursor.TryAdvance() && cursor.Twin is not null;
    }

    private void CheckReads(StoringWitness witness)
    {
        StreamLog log = witness.Log(_stream);
        Assert.Equal(12UL, log.End.Value);
        for (Sequence sequence = Sequence.Zero; sequence < log.End; sequence = sequence.Following)
        {
            VerifiedBatch batch = _stream[(int)sequence.Value];
            Assert.True(log.ReadStatement(sequence).Bytes.Span.SequenceEqual(batch.Statement.Statement.Bytes.Span));
            StoredRange range = log.RangeFrom(sequence)!.Value;
            Assert.True(_cluster.Acks.TryVerifyCertificate(log.ReadCertificate(range).Span, out VerifiedCertificate? certificate, out _));
            Assert.Equal(_stream[(int)range.To.Value].Reference, certificate.Batch);
            Assert.True(certificate.Base <= sequence);
            byte[] body = new byte[log.BodyLength(sequence)];
            log.ReadBody(sequence, body);
            Assert.True(body.AsSpan().SequenceEqual(batch.Body.Span));
        }
    }
}
