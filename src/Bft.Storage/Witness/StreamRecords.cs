using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Storage;

/// <summary>A stream as a checkpoint has it.</summary>
internal sealed record StoredStream(StreamHeader Header, StreamIndex Index, Sequence Floor, StreamTip? Tip);

/// <summary>Heads of a checkpoint's streams, as bytes (S2).</summary>
internal static class StreamRecords
{
    private const byte NoTip = 0;
    private const byte UnsignedTip = 1;
    private const byte SignedTip = 2;

    /// <param name="log">All of it is durable.</param>
    /// <param name="snapshot">Takes the pages that are to be written.</param>
    /// <param name="pageRows">Rows that make a page.</param>
    public static byte[] Stream(StreamLog log, Snapshot snapshot, int pageRows)
    {
        StreamTip? tip = log.TipInMemory;
        byte[] slots = log.Index.Slots.Write(snapshot, pageRows);
        byte[] certificates = log.Index.Certificates.Write(snapshot, pageRows);
        byte[] bytes = new byte[PublicKey.Length + Incarnation.Length + 2 + log.Header.Topic.Length + 8 + 8 + 1 + (tip is null ? 0 : Digest.Length)
            + (2 * 4) + slots.Length + certificates.Length];
        StatementWriter writer = new(bytes);
        writer.Bytes(WitnessRecords.Header(log.Header));
        writer.U64(log.Index.First.Value);
        writer.U64(log.Planned.Floor.Value); // durable by now, and above the end while S3 skips bodies
        writer.U8(tip is null ? NoTip : tip.IsSigned ? SignedTip : UnsignedTip);
        if (tip is not null)
        {
            writer.Digest(tip.Digest);
        }

        writer.U32((uint)slots.Length);
        writer.U32((uint)certificates.Length);
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
        int tipKind = reader.U8();
        Digest tipDigest = tipKind == NoTip ? default : reader.Digest();
        int slotsLength = reader.Count(head.Length);
        int certificatesLength = reader.Count(head.Length);
        ReadOnlySpan<byte> slots = reader.Bytes(slotsLength);
        ReadOnlySpan<byte> certificates = reader.Bytes(certificatesLength);
        if (!reader.IsComplete || !index.Slots.TryRead(slots, pages) || !index.Certificates.TryRead(certificates, pages))
        {
            return null;
        }

        // The tip ends the last range, whose certificate is its proof.
        bool isWhole = tipKind <= SignedTip && index.First <= floor
            && (tipKind == NoTip ? index.End == Sequence.Zero : index.Certificates.Count > 0 && index.Certificates[index.Certificates.Count - 1].Top + 1 == index.End.Value);
        return isWhole
            ? new StoredStream(
                new StreamHeader(cluster, publisher, topic, incarnation), index, floor, tipKind == NoTip ? null : new StreamTip(index.End.Preceding, tipDigest, tipKind == SignedTip, null))
            : null;
    }
}
