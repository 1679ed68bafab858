using System.Buffers;
using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>The records of the commit that is being gathered. Bodies stay where the caller has them; buffers are used again for a later commit.</summary>
internal sealed class BlockBuilder
{
    /// <summary>Most bytes of table and heads in one block. The host seals long before; a checkpoint has some 300 bytes for each stream.</summary>
    public const int TrailerBytesMax = 1 << 30;

    private readonly byte[] _header = new byte[BlockHeader.Bytes];
    private readonly ChunkedBytes _table = new();
    private readonly ChunkedBytes _heads = new();
    private readonly List<ReadOnlyMemory<byte>> _pieces = [default];

    public int Records { get; private set; }

    public long BodyBytes { get; private set; }

    public long TotalBytes => BlockHeader.Bytes + BodyBytes + _table.Length + _heads.Length;

    /// <value>What to write, in order.</value>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pieces => _pieces;

    /// <returns>The body's checksum.</returns>
    public uint Add(byte kind, ReadOnlySpan<byte> head, ReadOnlySequence<byte> body)
    {
        ThrowIfTooLong(BlockHeader.RowBytes + head.Length, body.Length);
        Checksum checksum = new();
        foreach (ReadOnlyMemory<byte> piece in body)
        {
            if (!piece.IsEmpty)
            {
                checksum.Add(piece.Span);
                _pieces.Add(piece);
            }
        }

        WriteRow(_table, kind, head.Length, (int)body.Length, checksum.Value);
        _heads.Write(head);
        BodyBytes += body.Length;
        Records++;
        return checksum.Value;
    }

    /// <summary>Adds records without bodies, which are not copied.</summary>
    public void Add(RecordRun run)
    {
        ThrowIfTooLong(run.Table.Length + run.Heads.Length, 0);
        _table.Share(run.Table);
        _heads.Share(run.Heads);
        Records += run.Count;
    }

    /// <summary>Completes the block.</summary>
    /// <returns>Its chain value.</returns>
    public uint Seal(JournalId id, long segment, ulong mark, ulong baseMark, uint chain)
    {
        Checksum trailer = new();
        foreach (ReadOnlyMemory<byte> piece in (IEnumerable<ReadOnlyMemory<byte>>)[.. _table.Pieces(), .. _heads.Pieces()])
        {
            trailer.Add(piece.Span);
            _pieces.Add(piece);
        }

        BlockHeader header = new(id, segment, mark, baseMark, chain, Records, BodyBytes, (int)_heads.Length, trailer.Value);
        uint checksum = header.Write(_header);
        _pieces[0] = _header;
        return checksum;
    }

    /// <summary>Forgets all, so that bodies can be collected.</summary>
    public void Clear()
    {
        _table.Clear();
        _heads.Clear();
        _pieces.RemoveRange(1, _pieces.Count - 1);
        Records = 0;
        BodyBytes = 0;
    }

    internal static void WriteRow(ChunkedBytes table, byte kind, int headLength, int bodyLength, uint checksum)
    {
        Span<byte> row = stackalloc byte[BlockHeader.RowBytes];
        row[0] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(row[1..], headLength);
        BinaryPrimitives.WriteInt32LittleEndian(row[5..], bodyLength);
        BinaryPrimitives.WriteUInt32LittleEndian(row[9..], checksum);
        table.Write(row);
    }

    private void ThrowIfTooLong(long trailerBytes, long bodyBytes)
    {
        if (_table.Length + _heads.Length + trailerBytes > TrailerBytesMax || bodyBytes > int.MaxValue)
        {
            throw new InvalidOperationException($"A commit takes {TrailerBytesMax} bytes of heads, and {int.MaxValue} in one body.");
        }
    }
}

/// <summary>Records without bodies, as a block has them: made once, and in both copies of a checkpoint.</summary>
internal sealed class RecordRun
{
    public ChunkedBytes Table { get; } = new();

    public ChunkedBytes Heads { get; } = new();

    public int Count { get; private set; }

    public void Add(byte kind, ReadOnlySpan<byte> head)
    {
        BlockBuilder.WriteRow(Table, kind, head.Length, bodyLength: 0, new Checksum().Value);
        Heads.Write(head);
        Count++;
    }
}
