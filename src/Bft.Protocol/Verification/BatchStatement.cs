using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>How the chunks of a body are stored.</summary>
public enum BodyEncoding : byte
{
    /// <summary>As they are.</summary>
    Identity = 0,
}

/// <summary>What a body must be to belong to a statement.</summary>
/// <param name="Root">Merkle root (RFC 6962) over the chunks as stored, the table first.</param>
/// <param name="ChunkCount">Chunks, the table included; at least 2.</param>
/// <param name="MessageCount">Messages; at least 1.</param>
/// <param name="Length">All chunks together. Unit: bytes.</param>
/// <param name="Encoding">How the chunks other than the table are stored. An unknown value is acked like any other and fails to decode at receivers (R1).</param>
public readonly record struct BodyDescription(Digest Root, int ChunkCount, int MessageCount, int Length, BodyEncoding Encoding)
{
    /// <summary>P6: the same messages were signed before, in an incarnation that was given up, and may have been delivered from there. In the statement the high bit of the encoding.</summary>
    public bool IsPossibleRepeat { get; init; }

    internal const byte RepeatBit = 0x80;

    internal byte EncodingByte => (byte)((byte)Encoding | (IsPossibleRepeat ? RepeatBit : 0));

    internal static (BodyEncoding Encoding, bool IsPossibleRepeat) Read(byte encoding) => ((BodyEncoding)(encoding & ~RepeatBit), (encoding & RepeatBit) != 0);
}

/// <summary>What a publisher signs for a batch. The batch's identity is the digest of these bytes.</summary>
/// <remarks>Layout: docs/wire.md. Parsed from the bytes that were signed, and never encoded again.</remarks>
public sealed class BatchStatement
{
    /// <summary>Length without the topic's bytes.</summary>
    public const int FixedLength = StatementTag.Length + Digest.Length + PublicKey.Length + Incarnation.Length + 8 + Ancestor.Length
        + Digest.Length + 4 + 4 + 4 + 1 + 2;

    private BatchStatement(StreamHeader header, Sequence sequence, Ancestor ancestor, BodyDescription body, byte[] bytes)
    {
        Header = header;
        Sequence = sequence;
        Ancestor = ancestor;
        Body = body;
        Bytes = bytes;
        Digest = Sha256.Hash(bytes);
    }

    public StreamHeader Header { get; }

    public Sequence Sequence { get; }

    public Ancestor Ancestor { get; }

    public BodyDescription Body { get; }

    /// <summary>The bytes that are signed.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public BatchRef Reference => new(Header.Id, Sequence, Digest);

    public Digest Digest { get; }

    /// <summary>Writes the statement of a batch of our own (P1).</summary>
    /// <exception cref="ArgumentException">The ancestor does not fit the sequence.</exception>
    public static BatchStatement Create(StreamHeader header, Sequence sequence, Ancestor ancestor, BodyDescription body)
    {
        ArgumentNullException.ThrowIfNull(header);
        byte[] bytes = new byte[FixedLength + header.Topic.Length];
        StatementWriter writer = new(bytes);
        writer.Tag(StatementTag.Batch);
        writer.Digest(header.Cluster.Digest);
        writer.PublicKey(header.Publisher);
        writer.Incarnation(header.Incarnation);
        writer.U64(sequence.Value);
        ancestor.Write(ref writer);
        writer.Digest(body.Root);
        writer.U32((uint)body.ChunkCount);
        writer.U32((uint)body.MessageCount);
        writer.U32((uint)body.Length);
        writer.U8(body.EncodingByte);
        writer.Topic(header.Topic);
        return TryParse(header.Cluster, bytes, out BatchStatement? statement, out RejectReason reason)
            ? statement
            : throw new ArgumentException($"These fields make no statement: {reason}.", nameof(ancestor));
    }

    /// <summary>Reads a statement from a peer's bytes (which are copied). Says nothing about its signature.</summary>
    public static bool TryParse(ClusterId cluster, ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out BatchStatement? statement, out RejectReason reason)
    {
        statement = null;
        StatementReader reader = new(bytes);
        reader.Tag(StatementTag.Batch);
        ClusterId named = new(reader.Digest());
        PublicKey publisher = reader.PublicKey();
        Incarnation incarnation = reader.Incarnation();
        Sequence sequence = reader.Sequence();
        ReadOnlySpan<byte> ancestorBytes = reader.Bytes(Ancestor.Length);
        BodyDescription body = new(
            reader.Digest(), reader.Count(int.MaxValue), reader.Count(int.MaxValue), reader.Count(int.MaxValue), default);
        (BodyEncoding encoding, bool isPossibleRepeat) = BodyDescription.Read(reader.U8());
        body = body with { Encoding = encoding, IsPossibleRepeat = isPossibleRepeat };
        Topic topic = reader.Topic();
        reader.Require(body.ChunkCount >= 2 && body.MessageCount >= 1);
        if (!reader.IsComplete)
        {
            reason = RejectReason.Malformed;
            return false;
        }

        if (named != cluster)
        {
            reason = RejectReason.OtherCluster;
            return false;
        }

        StreamHeader header = new(cluster, publisher, topic, incarnation);
        StatementReader ancestorReader = new(ancestorBytes);
        Ancestor ancestor = Ancestor.Read(ref ancestorReader, header, sequence);
        if (!ancestorReader.IsComplete)
        {
            reason = RejectReason.Malformed;
            return false;
        }

        statement = new BatchStatement(header, sequence, ancestor, body, bytes.ToArray());
        reason = RejectReason.None;
        return true;
    }

    public override string ToString() => Reference.ToString();
}
