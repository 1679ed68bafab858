using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Storage;

/// <summary>What a checkpoint begins with.</summary>
/// <param name="Cluster">Whose journal.</param>
/// <param name="Witness">Which one's.</param>
/// <param name="Clock">The steady clock.</param>
/// <param name="HasAll">No segment with records was deleted since the first commit, and none will be before the next checkpoint.</param>
/// <param name="Superseded">Segments of earlier checkpoints.</param>
internal sealed record CheckpointHead(ClusterId Cluster, int Witness, long Clock, bool HasAll, IReadOnlyCollection<long> Superseded);

/// <summary>Heads of a checkpoint's records, as bytes (S2).</summary>
internal static class CheckpointRecords
{
    /// <summary>Of all that is in a checkpoint: raised whenever any of it is written otherwise.</summary>
    public const int Version = 3;

    private const ulong Magic = 0x54504b43_54464200; // 00 "BFTCKPT"; checkpoints of version 1 began with the cluster id

    public static byte[] Begin(CheckpointHead head)
    {
        byte[] bytes = new byte[8 + Digest.Length + 1 + 8 + 1 + (8 * head.Superseded.Count)];
        StatementWriter writer = new(bytes);
        writer.U64(Magic | Version);
        writer.Digest(head.Cluster.Digest);
        writer.U8(head.Witness);
        writer.U64((ulong)head.Clock);
        writer.U8(head.HasAll ? 1 : 0);
        foreach (long segment in head.Superseded)
        {
            writer.U64((ulong)segment);
        }

        return bytes;
    }

    /// <summary>The version of a checkpoint that begins so.</summary>
    public static int VersionOf(ReadOnlySpan<byte> head) =>
        head.Length >= 8 && BinaryPrimitives.ReadUInt64LittleEndian(head) is var tag && (tag & ~0xFFul) == Magic ? (int)(tag & 0xFF) : 1;

    public static CheckpointHead? TryBegin(ReadOnlySpan<byte> head)
    {
        StatementReader reader = new(head);
        _ = reader.U64();
        ClusterId cluster = new(reader.Digest());
        int witness = reader.U8();
        long clock = (long)Math.Min(reader.U64(), long.MaxValue);
        bool hasAll = reader.U8() != 0;
        List<long> superseded = [];
        while (!reader.IsFailed && !reader.IsComplete)
        {
            superseded.Add((long)Math.Min(reader.U64(), long.MaxValue));
        }

        return reader.IsComplete ? new CheckpointHead(cluster, witness, clock, hasAll, superseded) : null;
    }

    public static byte[] Number(long value)
    {
        byte[] bytes = new byte[8];
        StatementWriter writer = new(bytes);
        writer.U64((ulong)value);
        return bytes;
    }

    public static bool TryNumber(ReadOnlySpan<byte> head, out long value)
    {
        StatementReader reader = new(head);
        value = (long)Math.Min(reader.U64(), long.MaxValue);
        return reader.IsComplete;
    }

    public static byte[] Floor(StreamId stream, Sequence floor, Sequence first)
    {
        byte[] bytes = new byte[Digest.Length + 8 + 8];
        StatementWriter writer = new(bytes);
        writer.Digest(stream.Digest);
        writer.U64(floor.Value);
        writer.U64(first.Value);
        return bytes;
    }

    public static bool TryFloor(ReadOnlySpan<byte> head, out StreamId stream, out Sequence floor, out Sequence first)
    {
        StatementReader reader = new(head);
        stream = new StreamId(reader.Digest());
        floor = reader.Sequence();
        first = reader.Sequence();
        return reader.IsComplete;
    }

    public static byte[] Placed(StreamLog.Candidate candidate)
    {
        byte[] batch = WitnessRecords.BatchHead(candidate.Statement, candidate.AckBase);
        byte[] bytes = new byte[StoredSlot.Bytes + batch.Length];
        candidate.Slot.Write(bytes);
        batch.CopyTo(bytes, StoredSlot.Bytes);
        return bytes;
    }

    public static bool TryPlaced(ClusterId cluster, ReadOnlySpan<byte> head, out VerifiedStatement statement, out Sequence? ackBase, out StoredSlot slot)
    {
        slot = head.Length < StoredSlot.Bytes ? default : StoredSlot.Read(head);
        statement = null!;
        ackBase = null;
        return head.Length >= StoredSlot.Bytes && WitnessRecords.TryBatch(cluster, head[StoredSlot.Bytes..], out statement, out ackBase);
    }

    public static byte[] Incarnations(IncarnationsRecord record)
    {
        byte[] bytes = new byte[PublicKey.Length + 2 + record.Topic.Length + 1 + Incarnation.Length + 4 + 4 + ((record.Live.Count + record.Retired.Count) * Digest.Length)];
        StatementWriter writer = new(bytes);
        writer.PublicKey(record.Publisher);
        writer.Topic(record.Topic);
        writer.U8(record.HighestRetired is null ? 0 : 1);
        writer.Incarnation(record.HighestRetired ?? default);
        writer.U32((uint)record.Live.Count);
        writer.U32((uint)record.Retired.Count);
        foreach (StreamId stream in record.Live.Concat(record.Retired))
        {
            writer.Digest(stream.Digest);
        }

        return bytes;
    }

    public static IncarnationsRecord? TryIncarnations(ReadOnlySpan<byte> head)
    {
        StatementReader reader = new(head);
        PublicKey publisher = reader.PublicKey();
        Topic topic = reader.Topic();
        bool hasMark = reader.U8() != 0;
        Incarnation mark = reader.Incarnation();
        int live = reader.Count(head.Length / Digest.Length);
        int retired = reader.Count(head.Length / Digest.Length);
        List<StreamId> streams = [];
        for (int i = 0; i < live + retired && !reader.IsFailed; i++)
        {
            streams.Add(new StreamId(reader.Digest()));
        }

        return reader.IsComplete ? new IncarnationsRecord(publisher, topic, hasMark ? mark : null, streams[..live], streams[live..]) : null;
    }
}
