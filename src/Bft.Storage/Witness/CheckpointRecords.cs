using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Storage;

/// <summary>A stream as a checkpoint has it.</summary>
internal sealed record StoredStream(StreamHeader Header, StreamIndex Index, Sequence Floor, VerifiedCertificate? Tip, VerifiedStatement? TipStatement);

/// <summary>Heads of a checkpoint's records, as bytes (S2).</summary>
internal static class CheckpointRecords
{
    private const int PlaceLength = 5 * 4;
    private const int CertificateLength = (2 * 8) + (4 * 4);

    public static byte[] Begin(ClusterId cluster, WitnessIndex self, long clock)
    {
        byte[] bytes = new byte[Digest.Length + 1 + 8];
        StatementWriter writer = new(bytes);
        writer.Digest(cluster.Digest);
        writer.U8(self.Value);
        writer.U64((ulong)clock);
        return bytes;
    }

    public static bool TryBegin(ReadOnlySpan<byte> head, out ReadOnlySpan<byte> identity, out long clock)
    {
        StatementReader reader = new(head);
        identity = reader.Bytes(Digest.Length + 1);
        clock = (long)Math.Min(reader.U64(), long.MaxValue);
        return reader.IsComplete;
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

    public static byte[] Stream(StreamLog log)
    {
        StreamIndex index = log.Index;
        ReadOnlyMemory<byte> tip = log.Tip?.Certificate.Bytes ?? default;
        byte[] tipStatement = log.TipStatement is { } statement ? WitnessRecords.BatchHead(statement, null) : [];
        byte[] bytes = new byte[PublicKey.Length + Incarnation.Length + 2 + log.Header.Topic.Length + 8 + 8 + 4 + 4 + 4 + 4
            + tip.Length + tipStatement.Length + ((int)index.Certificates.Count * CertificateLength) + ((int)index.Slots.Count * PlaceLength)];
        StatementWriter writer = new(bytes);
        writer.Bytes(WitnessRecords.Header(log.Header));
        writer.U64(index.First.Value);
        writer.U64(log.Planned.Floor.Value); // durable by now, and above the end while S3 skips bodies
        writer.U32((uint)tip.Length);
        writer.U32((uint)tipStatement.Length);
        writer.U32((uint)index.Certificates.Count);
        writer.U32((uint)index.Slots.Count);
        writer.Bytes(tip.Span);
        writer.Bytes(tipStatement);
        for (long i = 0; i < index.Certificates.Count; i++)
        {
            StoredCertificate certificate = index.Certificates[i];
            writer.U64(certificate.Top);
            writer.U64((ulong)certificate.StoredAt);
            writer.U32((uint)certificate.Position.Segment);
            writer.U32((uint)certificate.Position.Offset);
            writer.U32((uint)certificate.Position.Length);
            writer.U32(certificate.Position.Checksum);
        }

        for (long i = 0; i < index.Slots.Count; i++)
        {
            Place(ref writer, index.Slots[i]);
        }

        return bytes;
    }

    public static StoredStream? TryStream(ClusterId cluster, ReadOnlySpan<byte> head)
    {
        StatementReader reader = new(head);
        PublicKey publisher = reader.PublicKey();
        Incarnation incarnation = reader.Incarnation();
        Topic topic = reader.Topic();
        StreamIndex index = new(reader.Sequence());
        Sequence floor = reader.Sequence();
        int tipLength = reader.Count(head.Length);
        int statementLength = reader.Count(head.Length);
        int certificates = reader.Count(head.Length);
        int slots = reader.Count(head.Length);
        ReadOnlySpan<byte> tipBytes = reader.Bytes(tipLength);
        ReadOnlySpan<byte> statementBytes = reader.Bytes(statementLength);
        VerifiedCertificate? tip = tipLength == 0 ? null : Restored.Certificate(tipBytes);
        VerifiedStatement? tipStatement = null;
        reader.Require((tipLength == 0) == (tip is null));
        reader.Require(statementLength == 0 || WitnessRecords.TryBatch(cluster, statementBytes, out tipStatement!, out _));
        for (int i = 0; i < certificates && !reader.IsFailed; i++)
        {
            index.Certificates.Add(new StoredCertificate(
                reader.U64(), (long)reader.U64(), new JournalPosition(reader.U32(), reader.U32(), reader.Count(QuorumCertificate.LengthMax), reader.U32())));
        }

        for (int i = 0; i < slots && !reader.IsFailed; i++)
        {
            index.Slots.Add(Place(ref reader));
        }

        reader.Require(index.First <= floor && (tip is null ? index.End == Sequence.Zero : tip.Batch.Sequence.Following == index.End));
        return reader.IsComplete ? new StoredStream(new StreamHeader(cluster, publisher, topic, incarnation), index, floor, tip, tipStatement) : null;
    }

    public static byte[] Placed(StreamLog.Candidate candidate)
    {
        byte[] batch = WitnessRecords.BatchHead(candidate.Statement, candidate.AckBase);
        byte[] bytes = new byte[PlaceLength + batch.Length];
        StatementWriter writer = new(bytes);
        Place(ref writer, candidate.Slot);
        writer.Bytes(batch);
        return bytes;
    }

    public static bool TryPlaced(ClusterId cluster, ReadOnlySpan<byte> head, out VerifiedStatement statement, out Sequence? ackBase, out StoredSlot slot)
    {
        StatementReader reader = new(head);
        slot = Place(ref reader);
        statement = null!;
        ackBase = null;
        return !reader.IsFailed && WitnessRecords.TryBatch(cluster, head[reader.Position..], out statement, out ackBase);
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

    private static void Place(ref StatementWriter writer, StoredSlot slot)
    {
        writer.U32((uint)slot.Segment);
        writer.U32(slot.Offset);
        writer.U32(slot.StatementChecksum);
        writer.U32((uint)slot.BodyLength);
        writer.U32(slot.BodyChecksum);
    }

    private static StoredSlot Place(ref StatementReader reader) =>
        new(reader.Count(int.MaxValue), reader.U32(), reader.U32(), reader.Count(int.MaxValue), reader.U32());
}
