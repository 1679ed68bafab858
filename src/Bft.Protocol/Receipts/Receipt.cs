using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receipts;

/// <summary>Proves messages of one batch to anybody who knows the committee, without the rest of the batch and without a connection. Not yet verified.</summary>
/// <remarks>
/// It holds whole chunks, so it proves a chunk's neighbours as cheaply as one message; asked for all of a batch it is about as large as the batch. The encoding begins with its own length:
/// many stand one after the other in a file. Layout: docs/wire.md.
/// </remarks>
/// <param name="Statement">The batch's.</param>
/// <param name="Certificate">Covers the batch's slot; perhaps a later batch's of the stream.</param>
/// <param name="Chain">Statement bytes from the certificate's batch down to the one above this batch; empty when the certificate is this batch's own.</param>
/// <param name="Table">The body's chunk 0.</param>
/// <param name="Chunks">Those that hold the messages, in the order of the body; at least one.</param>
/// <param name="Positions">The messages meant, rising; empty for all that the chunks hold.</param>
public sealed record Receipt(
    SignedStatement Statement,
    QuorumCertificate Certificate,
    IReadOnlyList<ReadOnlyMemory<byte>> Chain,
    ReceiptChunk Table,
    IReadOnlyList<ReceiptChunk> Chunks,
    IReadOnlyList<int> Positions)
{
    /// <summary>Largest encoding that is looked at: two batches of the largest size that a cluster may allow. Unit: bytes.</summary>
    public const int LengthMax = 32 * 1024 * 1024;

    /// <summary>Length of the field that an encoding begins with: how many bytes follow it. Unit: bytes.</summary>
    public const int PrefixLength = 4;

    private const byte Version = 1;
    private const int ChainMax = 4096;
    private const int ChunkFixedLength = 4 + 4 + 1;

    /// <summary>A body has two chunks at least, so each has a path.</summary>
    private const int ChunkLengthMin = ChunkFixedLength + Digest.Length;

    /// <summary>A receipt for some messages of a batch.</summary>
    /// <param name="batch">With its body.</param>
    /// <param name="range">Covers the batch.</param>
    /// <param name="limits">The cluster's.</param>
    /// <param name="positions">In the batch; none for all of its messages.</param>
    /// <exception cref="ArgumentException">The range does not hold the batch, or the batch no such message.</exception>
    public static Receipt Create(VerifiedBatch batch, CertifiedRange range, ClusterLimits limits, params IReadOnlyCollection<int> positions)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(range);
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(positions);
        BodyDescription description = batch.Statement.Statement.Body;
        if (range.Find(batch.Sequence)?.Reference != batch.Reference)
        {
            throw new ArgumentException("The range does not hold this batch.", nameof(range));
        }

        if (positions.Any(position => position < 0 || position >= description.MessageCount))
        {
            throw new ArgumentException("The batch has no message at one of these positions.", nameof(positions));
        }

        if (!ChunkTable.TryRead(batch.Body.Span, description.MessageCount, limits.TableBytesMax, out ChunkTable? table))
        {
            throw new ArgumentException("A verified batch has a whole table.", nameof(batch));
        }

        MerkleTree tree = BodyRoot.TreeOf(batch.Body.Span, table);
        SortedSet<int> wanted = [.. positions];
        ReceiptChunk[] chunks =
        [
            .. table.Entries
                .Select((entry, index) => (Entry: entry, Leaf: index + 1))
                .Where(chunk => wanted.Count == 0 || Holds(chunk.Entry, wanted))
                .Select(chunk => new ReceiptChunk(chunk.Leaf, batch.Body.Slice(chunk.Entry.Offset, chunk.Entry.Length), tree.PathOf(chunk.Leaf))),
        ];
        return new Receipt(
            SignedStatement.From(batch.Statement),
            range.Certificate.Certificate,
            [.. range.ChainDownTo(batch.Sequence).Select(statement => statement.Statement.Bytes)],
            new ReceiptChunk(0, batch.Body[..table.Length], tree.PathOf(0)),
            chunks,
            [.. wanted]);
    }

    public byte[] Encode()
    {
        int length = PrefixLength + 1 + 2 + Statement.Bytes.Length + Signature.Length + 4 + Certificate.Bytes.Length
            + 2 + Chain.Sum(statement => 2 + statement.Length)
            + LengthOf(Table) + 4 + Chunks.Sum(LengthOf)
            + 4 + (Positions.Count * 4);
        byte[] bytes = new byte[length];
        StatementWriter writer = new(bytes);
        writer.U32((uint)(length - PrefixLength));
        writer.U8(Version);
        writer.U16(Statement.Bytes.Length);
        writer.Bytes(Statement.Bytes.Span);
        writer.Signature(Statement.Signature);
        writer.U32((uint)Certificate.Bytes.Length);
        writer.Bytes(Certificate.Bytes.Span);
        writer.U16(Chain.Count);
        foreach (ReadOnlyMemory<byte> statement in Chain)
        {
            writer.U16(statement.Length);
            writer.Bytes(statement.Span);
        }

        Write(ref writer, Table);
        writer.U32((uint)Chunks.Count);
        foreach (ReceiptChunk chunk in Chunks)
        {
            Write(ref writer, chunk);
        }

        writer.U32((uint)Positions.Count);
        foreach (int position in Positions)
        {
            writer.U32((uint)position);
        }

        return bytes;
    }

    /// <summary>Reads the receipt at the start of bytes (which it refers to) and says how long it is; others may follow it.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out Receipt? receipt, out int length)
    {
        receipt = null;
        length = 0;
        StatementReader prefix = new(bytes.Span);
        int rest = prefix.Count(LengthMax - PrefixLength);
        if (prefix.IsFailed || rest > bytes.Length - PrefixLength)
        {
            return false;
        }

        length = PrefixLength + rest;
        ReadOnlyMemory<byte> own = bytes.Slice(PrefixLength, rest);
        StatementReader reader = new(own.Span);
        reader.Require(reader.U8() == Version);
        SignedStatement statement = new(TakeStatement(ref reader, own), reader.Signature());
        reader.Require(QuorumCertificate.TryParse(reader.Bytes(reader.Count(QuorumCertificate.LengthMax)), out QuorumCertificate? certificate));
        List<ReadOnlyMemory<byte>> chain = [];
        for (int i = reader.Count16(ChainMax); i > 0 && !reader.IsFailed; i--)
        {
            chain.Add(TakeStatement(ref reader, own));
        }

        ReceiptChunk table = ReadChunk(ref reader, own);
        ReceiptChunk[] chunks = new ReceiptChunk[reader.Count((rest - reader.Position) / ChunkLengthMin)];
        for (int i = 0; i < chunks.Length && !reader.IsFailed; i++)
        {
            chunks[i] = ReadChunk(ref reader, own);
        }

        int[] positions = new int[reader.Count((rest - reader.Position) / 4)];
        for (int i = 0; i < positions.Length && !reader.IsFailed; i++)
        {
            positions[i] = reader.Count(int.MaxValue);
            reader.Require(i == 0 || positions[i - 1] < positions[i]);
        }

        receipt = reader.IsComplete ? new Receipt(statement, certificate!, chain, table, chunks, positions) : null;
        return receipt is not null;
    }

    private static bool Holds(ChunkEntry entry, SortedSet<int> positions) =>
        entry.Runs.Any(run => positions.GetViewBetween(run.First, run.First + run.Count - 1).Count > 0);

    private static int LengthOf(ReceiptChunk chunk) => ChunkFixedLength + chunk.Bytes.Length + (chunk.Path.Count * Digest.Length);

    private static void Write(ref StatementWriter writer, ReceiptChunk chunk)
    {
        writer.U32((uint)chunk.Index);
        writer.U32((uint)chunk.Bytes.Length);
        writer.Bytes(chunk.Bytes.Span);
        writer.Path(chunk.Path.ToArray());
    }

    private static ReceiptChunk ReadChunk(ref StatementReader reader, ReadOnlyMemory<byte> bytes)
    {
        ReceiptChunk chunk = new(reader.Count(int.MaxValue), Last(ref reader, bytes, reader.Bytes(reader.Count(int.MaxValue)).Length), reader.Path(FormatLimits.BodyPathMax));
        reader.Require(chunk.Path.Count > 0);
        return chunk;
    }

    private static ReadOnlyMemory<byte> TakeStatement(ref StatementReader reader, ReadOnlyMemory<byte> bytes) => Last(ref reader, bytes, reader.Statement().Length);

    /// <summary>What was read last, without a copy.</summary>
    private static ReadOnlyMemory<byte> Last(ref StatementReader reader, ReadOnlyMemory<byte> bytes, int length) => bytes.Slice(reader.Position - length, length);
}
