using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Storage;

/// <summary>Heads of a witness's records, as bytes.</summary>
internal static class WitnessRecords
{
    /// <summary>Flags and base; signature and statement follow.</summary>
    public const int BatchHeadFixedLength = 1 + 8;

    public static byte[] Identity(ClusterId cluster, WitnessIndex self)
    {
        byte[] bytes = new byte[Digest.Length + 1];
        StatementWriter writer = new(bytes);
        writer.Digest(cluster.Digest);
        writer.U8(self.Value);
        return bytes;
    }

    public static bool TryIdentity(ReadOnlySpan<byte> head, out ClusterId cluster, out int witness)
    {
        StatementReader reader = new(head);
        cluster = new ClusterId(reader.Digest());
        witness = reader.U8();
        return reader.IsComplete;
    }

    public static byte[] Run(RunRecord run)
    {
        byte[] bytes = new byte[run.Last is null ? 8 : 16];
        StatementWriter writer = new(bytes);
        writer.U64(run.Run.Value);
        if (run.Last is { } last)
        {
            writer.U64(last.Value);
        }

        return bytes;
    }

    public static byte[] Header(StreamHeader header)
    {
        byte[] bytes = new byte[PublicKey.Length + Incarnation.Length + 2 + header.Topic.Length];
        StatementWriter writer = new(bytes);
        writer.PublicKey(header.Publisher);
        writer.Incarnation(header.Incarnation);
        writer.Topic(header.Topic);
        return bytes;
    }

    public static bool TryHeader(ClusterId cluster, ReadOnlySpan<byte> head, out StreamHeader header)
    {
        StatementReader reader = new(head);
        PublicKey publisher = reader.PublicKey();
        Incarnation incarnation = reader.Incarnation();
        Topic topic = reader.Topic();
        header = reader.IsComplete ? new StreamHeader(cluster, publisher, topic, incarnation) : null!;
        return header is not null;
    }

    /// <summary>A stream, and something behind it.</summary>
    public static byte[] Of(StreamHeader header, ReadOnlySpan<byte> rest) => [.. Header(header), .. rest];

    public static bool TryOf(ClusterId cluster, ReadOnlySpan<byte> head, out StreamHeader header, out ReadOnlySpan<byte> rest)
    {
        StatementReader reader = new(head);
        PublicKey publisher = reader.PublicKey();
        Incarnation incarnation = reader.Incarnation();
        Topic topic = reader.Topic();
        header = reader.IsFailed ? null! : new StreamHeader(cluster, publisher, topic, incarnation);
        rest = reader.IsFailed ? default : head[reader.Position..];
        return header is not null;
    }

    public static byte[] Stream(StreamId stream)
    {
        byte[] bytes = new byte[Digest.Length];
        StatementWriter writer = new(bytes);
        writer.Digest(stream.Digest);
        return bytes;
    }

    public static bool TryStream(ReadOnlySpan<byte> head, out StreamId stream)
    {
        StatementReader reader = new(head);
        stream = new StreamId(reader.Digest());
        return reader.IsComplete;
    }

    public static byte[] MendedSlot(Slot slot, bool hasBody)
    {
        byte[] bytes = new byte[Digest.Length + 8 + 1];
        StatementWriter writer = new(bytes);
        writer.Digest(slot.Stream.Digest);
        writer.U64(slot.Sequence.Value);
        writer.U8(hasBody ? 1 : 0);
        return bytes;
    }

    public static bool TryMendedSlot(ReadOnlySpan<byte> head, out Slot slot, out bool hasBody)
    {
        StatementReader reader = new(head);
        slot = new Slot(new StreamId(reader.Digest()), reader.Sequence());
        hasBody = reader.U8() != 0;
        return reader.IsComplete;
    }

    public static byte[] MendedCertificate(Sequence from, QuorumCertificate certificate)
    {
        byte[] bytes = new byte[8 + certificate.Bytes.Length];
        StatementWriter writer = new(bytes);
        writer.U64(from.Value);
        writer.Bytes(certificate.Bytes.Span);
        return bytes;
    }

    public static bool TryMendedCertificate(ReadOnlySpan<byte> head, out Sequence from, out VerifiedCertificate certificate)
    {
        StatementReader reader = new(head);
        from = reader.Sequence();
        certificate = reader.IsFailed ? null! : Restored.Certificate(head[reader.Position..])!;
        return certificate is not null;
    }

    public static bool TryRun(ReadOnlySpan<byte> head, out RunRecord run)
    {
        StatementReader reader = new(head);
        run = new RunRecord(new Run(reader.U64()), head.Length > 8 ? new Mark(reader.U64()) : null);
        return reader.IsComplete;
    }

    public static byte[] BatchHead(VerifiedStatement statement, Sequence? ackBase)
    {
        BatchFlags flags = (ackBase is null ? BatchFlags.None : BatchFlags.IsAcked) | (statement.IsSigned ? BatchFlags.IsSigned : BatchFlags.None);
        byte[] bytes = new byte[BatchHeadFixedLength + Signature.Length + statement.Statement.Bytes.Length];
        StatementWriter writer = new(bytes);
        writer.U8((int)flags);
        writer.U64(ackBase?.Value ?? 0);
        writer.Signature(statement.Signature);
        writer.Bytes(statement.Statement.Bytes.Span);
        return bytes;
    }

    public static bool TryBatch(ClusterId cluster, ReadOnlySpan<byte> head, out VerifiedStatement statement, out Sequence? ackBase)
    {
        StatementReader reader = new(head);
        BatchFlags flags = (BatchFlags)reader.U8();
        Sequence @base = reader.Sequence();
        Signature signature = reader.Signature();
        ackBase = flags.HasFlag(BatchFlags.IsAcked) ? @base : null;
        statement = reader.IsFailed ? null! : Restored.Statement(cluster, head[reader.Position..], signature, flags.HasFlag(BatchFlags.IsSigned))!;
        return statement is not null;
    }
}
