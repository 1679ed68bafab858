using System.Buffers;
using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>The records of the commit that is being gathered. Bodies stay where the caller has them; buffers are used again for a later commit.</summary>
internal sealed class BlockBuilder
{
    /// <summary>Most bytes of table and heads in one block. The host seals long before; a checkpoint has some 2 KiB for each stream.</summary>
    public const int TrailerBytesMax = 1 << 30;

    private readonly byte[] _header = new byte[BlockHeader.Bytes];
    private readonly ArrayBufferWriter<byte> _table = new();
    private readonly ArrayBufferWriter<byte> _heads = new();
    private readonly List<ReadOnlyMemory<byte>> _pieces = [default];

    public int Records { get; private set; }

    public long BodyBytes { get; private set; }

    public long TotalBytes => BlockHeader.Bytes + BodyBytes + _table.WrittenCount + _heads.WrittenCount;

    /// <value>What to write, in order.</value>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pieces => _pieces;

    /// <returns>The body's checksum.</returns>
    public uint Add(byte kind, ReadOnlySpan<byte> head, ReadOnlySequence<byte> body)
    {
        long trailerBytes = (long)_table.WrittenCount + BlockHeader.RowBytes + _heads.WrittenCount + head.Length;
        if (trailerBytes > TrailerBytesMax || body.Length > int.MaxValue)
        {
            throw new InvalidOperationException($"A commit takes {TrailerBytesMax} bytes of heads, and {int.MaxValue} in one body.");
        }

        Checksum checksum = new();
        foreach (ReadOnlyMemory<byte> piece in body)
        {
            if (!piece.IsEmpty)
            {
                checksum.Add(piece.Span);
                _pieces.Add(piece);
            }
        }

        Span<byte> row = _table.GetSpan(BlockHeader.RowBytes);
        row[0] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(row[1..], head.Length);
        BinaryPrimitives.WriteInt32LittleEndian(row[5..], (int)body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(row[9..], checksum.Value);
        _table.Advance(BlockHeader.RowBytes);
        _heads.Write(head);
        BodyBytes += body.Length;
        Records++;
        return checksum.Value;
    }

    /// <summary>Completes the block.</summary>
    /// <returns>Its chain value.</returns>
    public uint Seal(JournalId id, long segment, ulong mark, ulong baseMark, uint chain)
    {
        Checksum trailer = new();
        trailer.Add(_table.WrittenSpan);
        trailer.Add(_heads.WrittenSpan);
        BlockHeader header = new(id, segment, mark, baseMark, chain, Records, BodyBytes, _heads.WrittenCount, trailer.Value);
        uint checksum = header.Write(_header);
        _pieces[0] = _header;
        if (Records > 0)
        {
            _pieces.Add(_table.WrittenMemory);
            _pieces.Add(_heads.WrittenMemory);
        }

        return checksum;
    }

    /// <summary>Forgets all, so that bodies can be collected.</summary>
    public void Clear()
    {
        _table.ResetWrittenCount();
        _heads.ResetWrittenCount();
        _pieces.RemoveRange(1, _pieces.Count - 1);
        Records = 0;
        BodyBytes = 0;
    }
}
