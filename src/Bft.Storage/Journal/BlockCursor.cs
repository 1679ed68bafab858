using System.Buffers;
using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>Walks the blocks of one segment as long as each is whole (but for its bodies) and follows from the one before.</summary>
/// <param name="file">Open.</param>
/// <param name="segment">Which.</param>
/// <param name="buffers">Of cursors that are used one after the other. Default: its own.</param>
internal sealed class BlockCursor(IDiskFile file, long segment, BlockCursor.Buffers? buffers = null)
{
    private readonly Buffers _buffers = buffers ?? new Buffers();

    private readonly byte[] _headerBytes = new byte[BlockHeader.Bytes];

    public string Name { get; } = SegmentName.Of(segment);

    public long Segment => segment;

    public IDiskFile File => file;

    /// <value>The block that the last successful <see cref="TryAdvance"/> found.</value>
    public BlockHeader Header { get; private set; }

    public long Offset { get; private set; }

    /// <value>The block's chain value.</value>
    public uint Chain { get; private set; }

    /// <value>Where the next block would begin; 0 at the start.</value>
    public long End { get; private set; }

    /// <value>After an unsuccessful <see cref="TryAdvance"/>: why there is no next block.</value>
    public string Fault { get; private set; } = "";

    /// <value>True if the fault cannot come from a write that a crash tore: a sound header that does not follow from the block before.</value>
    public bool IsMisplaced { get; private set; }

    /// <exception cref="JournalMismatchException">A sound header of another format version.</exception>
    public bool TryAdvance()
    {
        int got = file.Read(End, _headerBytes);
        if (BlockHeader.Parse(_headerBytes.AsSpan(0, got), Name, out uint chain) is not { } header)
        {
            Fault = "there is no block header, or a damaged one.";
            return false;
        }

        bool follows = End == 0 || (header.Mark == Header.Mark + 1 && header.Chain == Chain && header.Id == Header.Id);
        if (header.Segment != segment || !follows)
        {
            Fault = $"commit {header.Mark} of segment {header.Segment} stands where it does not belong.";
            IsMisplaced = true;
            return false;
        }

        if (!TryReadTrailer(header))
        {
            Fault = $"the table or the heads of commit {header.Mark} do not match their checksum.";
            return false;
        }

        (Header, Offset, Chain, End) = (header, End, chain, BlockHeader.Aligned(End + header.TotalBytes));
        return true;
    }

    /// <value>What the current block says if it is half of a checkpoint.</value>
    public TwinMarker? Twin => Header.Records == 0 ? null : TwinMarker.Of(_buffers.Trailer[0], _buffers.Trailer.AsSpan(Header.Records * BlockHeader.RowBytes, ReadRow(_buffers.Trailer).HeadLength));

    /// <summary>Hands the records of the current block over, as lying in another segment if it was rewritten.</summary>
    public void Replay(IJournalReplay replay, long inSegment, long atOffset)
    {
        int head = Header.Records * BlockHeader.RowBytes;
        long body = atOffset + BlockHeader.Bytes;
        for (int record = 0; record < Header.Records; record++)
        {
            ReadOnlySpan<byte> row = _buffers.Trailer.AsSpan(record * BlockHeader.RowBytes, BlockHeader.RowBytes);
            (int headLength, int bodyLength, uint checksum) = ReadRow(row);
            if (record > 0 || Twin is null)
            {
                replay.OnRecord(Header.Mark, row[0], _buffers.Trailer.AsSpan(head, headLength), new JournalPosition(inSegment, body, bodyLength, checksum));
            }

            head += headLength;
            body += bodyLength;
        }
    }

    /// <returns>Whether all bodies of the current block match their checksums.</returns>
    public bool AreBodiesSound()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        long offset = Offset + BlockHeader.Bytes;
        bool areSound = true;
        for (int record = 0; record < Header.Records && areSound; record++)
        {
            (_, int length, uint expected) = ReadRow(_buffers.Trailer.AsSpan(record * BlockHeader.RowBytes, BlockHeader.RowBytes));
            Checksum checksum = new();
            int left = length;
            while (left > 0)
            {
                int got = file.Read(offset + length - left, buffer.AsSpan(0, Math.Min(left, buffer.Length)));
                checksum.Add(buffer.AsSpan(0, got));
                left = got == 0 ? 0 : left - got;
            }

            areSound = checksum.Value == expected;
            offset += length;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return areSound;
    }

    /// <returns>The offset of a sound header behind the current end, or null. There, no torn write can have put one.</returns>
    /// <remarks>A commit is written only after the one before is durable, so a later header proves that what lacks here was durable.</remarks>
    public long? FindLaterHeader()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        int chunk = buffer.Length & -BlockHeader.Alignment;
        long? found = null;
        int got = chunk;
        for (long start = End; found is null && got == chunk; start += chunk)
        {
            got = file.Read(start, buffer.AsSpan(0, chunk));
            for (int page = 0; page < got && found is null; page += BlockHeader.Alignment)
            {
                ReadOnlySpan<byte> bytes = buffer.AsSpan(page, Math.Min(got - page, BlockHeader.Bytes));
                bool isCandidate = start + page > End && BlockHeader.Parse(bytes, Name, out _) is not null;
                found = isCandidate ? start + page : null;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return found;
    }

    /// <summary>Reads the current block as it stands on the disk, in pieces, behind a header of its own.</summary>
    public List<ReadOnlyMemory<byte>> ReadPieces(ReadOnlyMemory<byte> header)
    {
        const int PieceBytes = 16 << 20;
        List<ReadOnlyMemory<byte>> pieces = [header];
        long end = Offset + Header.TotalBytes;
        for (long at = Offset + BlockHeader.Bytes; at < end; at += PieceBytes)
        {
            byte[] piece = new byte[Math.Min(PieceBytes, end - at)];
            if (file.Read(at, piece) < piece.Length)
            {
                throw new JournalDamageException(Name, at, "the file became shorter while it was read.");
            }

            pieces.Add(piece);
        }

        return pieces;
    }

    private static (int HeadLength, int BodyLength, uint BodyChecksum) ReadRow(ReadOnlySpan<byte> row) =>
        (BinaryPrimitives.ReadInt32LittleEndian(row[1..]), BinaryPrimitives.ReadInt32LittleEndian(row[5..]), BinaryPrimitives.ReadUInt32LittleEndian(row[9..]));

    /// <remarks>Lengths are trusted only after the header's checksum, and against the file's length before anything is allocated.</remarks>
    private bool TryReadTrailer(BlockHeader header)
    {
        if (header.BodyBytes > file.Length - End - BlockHeader.Bytes - header.TrailerBytes)
        {
            return false;
        }

        Span<byte> trailer = _buffers.Next(header.TrailerBytes);
        bool isSound = file.Read(End + BlockHeader.Bytes + header.BodyBytes, trailer) == trailer.Length
            && Checksum.Of(trailer) == header.TrailerChecksum
            && DoLengthsAddUp(header, trailer);
        if (isSound)
        {
            _buffers.Swap();
        }

        return isSound;
    }

    private static bool DoLengthsAddUp(BlockHeader header, ReadOnlySpan<byte> trailer)
    {
        long heads = 0;
        long bodies = 0;
        for (int record = 0; record < header.Records; record++)
        {
            (int headLength, int bodyLength, _) = ReadRow(trailer.Slice(record * BlockHeader.RowBytes, BlockHeader.RowBytes));
            if (headLength < 0 || bodyLength < 0)
            {
                return false;
            }

            heads += headLength;
            bodies += bodyLength;
        }

        return heads == header.HeadBytes && bodies == header.BodyBytes;
    }

    /// <summary>Tables and heads of the current block, and of the next one: it becomes the current one only when it is sound. A checkpoint's are large.</summary>
    internal sealed class Buffers
    {
        private byte[] _next = [];

        public byte[] Trailer { get; private set; } = [];

        public Span<byte> Next(int length)
        {
            _next = _next.Length < length ? new byte[Math.Max(length, Math.Min(2 * _next.Length, 1 << 20))] : _next;
            return _next.AsSpan(0, length);
        }

        public void Swap() => (Trailer, _next) = (_next, Trailer);
    }
}
