using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Bft.Protocol.Bodies;

/// <summary>Consecutive positions in a batch.</summary>
/// <param name="First">Position of the first message, from 0.</param>
/// <param name="Count">How many follow each other; at least 1.</param>
public readonly record struct PositionRun(int First, int Count);

/// <summary>What a body's table says about one of its other chunks.</summary>
/// <param name="Subject">The subject of each message in it.</param>
/// <param name="Offset">Where the chunk begins in the body. Unit: bytes. Follows from the lengths before it.</param>
/// <param name="Length">Length as stored. Unit: bytes.</param>
/// <param name="MessageCount">Messages in it; at least 1.</param>
/// <param name="Runs">Where in the batch they stand, in the order of the chunk.</param>
public readonly record struct ChunkEntry(string Subject, int Offset, int Length, int MessageCount, ArraySegment<PositionRun> Runs);

/// <summary>Chunk 0 of a body: lists exactly the other chunks. Begins with its own length, so that a body can be cut without more.</summary>
public sealed class ChunkTable
{
    internal const int HeaderLength = 8;
    internal const int EntryFixedLength = 14;
    internal const int RunLength = 8;

    private ChunkTable(int length, ChunkEntry[] entries)
    {
        Length = length;
        Entries = entries;
    }

    /// <summary>Length of the table itself. Unit: bytes.</summary>
    public int Length { get; }

    /// <summary>The other chunks, in the order of the body.</summary>
    public IReadOnlyList<ChunkEntry> Entries { get; }

    /// <summary>Reads the table at the start of a body, or of bytes that begin with one. Total: any bytes may be given.</summary>
    /// <remarks>Checks that the entries are each a permutation's part (docs/protocol.md, Statements): all positions from 0 to count − 1, each once.</remarks>
    public static bool TryRead(ReadOnlySpan<byte> body, int messageCount, int tableBytesMax, [NotNullWhen(true)] out ChunkTable? table)
    {
        table = null;
        if (body.Length < HeaderLength)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(body);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(body[4..]);
        if (length > (uint)Math.Min(body.Length, tableBytesMax) || length < HeaderLength || count == 0 || count > (length - HeaderLength) / EntryFixedLength)
        {
            return false;
        }

        // One array for the runs of all entries: one of its own for each would be larger than what it is read from.
        ChunkEntry[] entries = new ChunkEntry[(int)count];
        ArraySegment<PositionRun> runs = new PositionRun[((int)length - HeaderLength - (entries.Length * EntryFixedLength)) / RunLength];
        ReadOnlySpan<byte> rest = body[HeaderLength..(int)length];
        PositionSet positions = new(messageCount);
        int offset = (int)length;
        for (int i = 0; i < entries.Length; i++)
        {
            if (!TryReadEntry(ref rest, offset, ref positions, ref runs, out ChunkEntry entry) || entry.Length > int.MaxValue - offset)
            {
                return false;
            }

            entries[i] = entry;
            offset += entry.Length;
        }

        if (!rest.IsEmpty || !positions.IsFull)
        {
            return false;
        }

        table = new ChunkTable((int)length, entries);
        return true;
    }

    /// <summary>Length of a table with these chunks. Unit: bytes.</summary>
    internal static int EntryLength(string subject, int runs) => EntryFixedLength + (runs * RunLength) + Encoding.UTF8.GetByteCount(subject);

    internal static int WriteHeader(Span<byte> destination, int tableLength, int entries)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)tableLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], (uint)entries);
        return HeaderLength;
    }

    internal static int WriteEntry(Span<byte> destination, string subject, int length, int messageCount, IReadOnlyList<PositionRun> runs)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], (uint)messageCount);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)runs.Count);
        int position = 12;
        foreach (PositionRun run in runs)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination[position..], (uint)run.First);
            BinaryPrimitives.WriteUInt32LittleEndian(destination[(position + 4)..], (uint)run.Count);
            position += RunLength;
        }

        int subjectLength = Encoding.UTF8.GetBytes(subject, destination[(position + 2)..]);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[position..], (ushort)subjectLength);
        return position + 2 + subjectLength;
    }

    /// <param name="rest">Of the table; what was read is gone from it.</param>
    /// <param name="offset">Of the chunk in the body.</param>
    /// <param name="positions">Those taken.</param>
    /// <param name="free">Places for runs; the entry's are gone from them.</param>
    /// <param name="entry">What was read.</param>
    private static bool TryReadEntry(ref ReadOnlySpan<byte> rest, int offset, ref PositionSet positions, ref ArraySegment<PositionRun> free, out ChunkEntry entry)
    {
        entry = default;
        if (rest.Length < EntryFixedLength)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        uint messages = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        uint runCount = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
        rest = rest[12..];
        if (length is 0 or > int.MaxValue || messages is 0 or > int.MaxValue || runCount == 0 || runCount > messages || runCount > rest.Length / RunLength || runCount > (uint)free.Count
            || (length > FormatLimits.ChunkBytesTarget && messages > 1))
        {
            return false;
        }

        ArraySegment<PositionRun> runs = free[..(int)runCount];
        free = free[(int)runCount..];
        uint listed = 0;
        for (int i = 0; i < runs.Count; i++)
        {
            uint first = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            uint count = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            rest = rest[RunLength..];
            if (count > messages - listed || !positions.TryTake(first, count))
            {
                return false;
            }

            listed += count;
            runs[i] = new PositionRun((int)first, (int)count);
        }

        if (listed != messages || rest.Length < 2)
        {
            return false;
        }

        int subjectLength = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        rest = rest[2..];
        if (subjectLength > FormatLimits.SubjectBytesMax || subjectLength > rest.Length || !System.Text.Unicode.Utf8.IsValid(rest[..subjectLength]))
        {
            return false;
        }

        string subject = subjectLength == 0 ? string.Empty : Encoding.UTF8.GetString(rest[..subjectLength]);
        rest = rest[subjectLength..];
        entry = new ChunkEntry(subject, offset, (int)length, (int)messages, runs);
        return true;
    }
}
