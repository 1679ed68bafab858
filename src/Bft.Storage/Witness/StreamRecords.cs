using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Storage;

/// <summary>A stream as a checkpoint has it.</summary>
internal sealed record StoredStream(StreamHeader Header, StreamIndex Index, Sequence Floor, VerifiedCertificate? Tip, VerifiedStatement? TipStatement);

/// <summary>Heads of a checkpoint's streams, as bytes (S2).</summary>
internal static class StreamRecords
{
    /// <param name="log">All of it is durable.</param>
    /// <param name="snapshot">Takes the pages that are to be written.</param>
    /// <param name="pageRows">Rows that make a page.</param>
    public static byte[] Stream(StreamLog log, Snapshot snapshot, int pageRows)
    {
        ReadOnlyMemory<byte> tip = log.Tip?.Certificate.Bytes ?? default;
        byte[] tipStatement = log.TipStatement is { } statement ? WitnessRecords.BatchHead(statement, null) : [];
        byte[] slots = log.Index.Slots.Write(snapshot, pageRows);
        byte[] certificates = log.Index.Certificates.Write(snapshot, pageRows);
        byte[] bytes = new byte[PublicKey.Length + Incarnation.Length + 2 + log.Header.Topic.Length + 8 + 8 + (4 * 4)
            + tip.Length + tipStatement.Length + slots.Length + certificates.Length];
        StatementWriter writer = new(bytes);
        writer.Bytes(WitnessRecords.Header(log.Header));
        writer.U64(log.Index.First.Value);
        writer.U64(log.Planned.Floor.Value); // durable by now, and above the end while S3 skips bodies
        writer.U32((uint)tip.Length);
        writer.U32((uint)tipStatement.Length);
        writer.U32((uint)slots.Length);
        writer.U32((uint)certificates.Length);
        writer.Bytes(tip.Span);
        writer.Bytes(tipStatement);
        writer.Bytes(slots);
        writer.Bytes(certificates);
        return bytes;
    }

    /// <exception cref="CheckpointLostException">A page cannot be read.</exception>
    public static StoredStream? TryStream(ClusterId cluster, ReadOnlySpan<byte> head, PageReader pages)
    {
        StatementReader reader = new(head);
        PublicKey publisher = reader.PublicKey();
        Incarnation incarnation = reader.Incarnation();
        Topic topic = reader.Topic();
        StreamIndex index = new(reader.Sequence());
        Sequence floor = reader.Sequence();
        int tipLength = reader.Count(head.Length);
        int statementLength = reader.Count(head.Length);
        int slotsLength = reader.Count(head.Length);
        int certificatesLength = reader.Count(head.Length);
        ReadOnlySpan<byte> tipBytes = reader.Bytes(tipLength);
        ReadOnlySpan<byte> statementBytes = reader.Bytes(statementLength);
        ReadOnlySpan<byte> slots = reader.Bytes(slotsLength);
        ReadOnlySpan<byte> certificates = reader.Bytes(certificatesLength);
        if (!reader.IsComplete || !index.Slots.TryRead(slots, pages) || !index.Certificates.TryRead(certificates, pages))
        {
            return null;
        }

        VerifiedCertificate? tip = tipLength == 0 ? null : Restored.Certificate(tipBytes);
        VerifiedStatement? tipStatement = null;
        bool isWhole = (tipLength == 0) == (tip is null)
            && (statementLength == 0 || WitnessRecords.TryBatch(cluster, statementBytes, out tipStatement!, out _))
            && index.First <= floor
            && (tip is null ? index.End == Sequence.Zero : tip.Batch.Sequence.Following == index.End);
        if (!isWhole)
        {
            return null;
        }

        // One header for both: there may be very many streams.
        StreamHeader header = new(cluster, publisher, topic, incarnation);
        return new StoredStream(tipStatement?.Statement.Header is { } same && same == header ? same : header, index, floor, tip, tipStatement);
    }
}
