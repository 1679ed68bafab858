using System.Buffers;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Bodies;

/// <summary>Collects messages into a body: grouped by subject, cut greedily at 16 KiB, positions kept in the table.</summary>
/// <remarks>One builder serves one publisher and keeps its buffers from batch to batch. Not thread-safe.</remarks>
public sealed class BodyBuilder(ClusterLimits limits)
{
    /// <summary>Subjects with an open chunk at one time; one more closes the chunk that was opened first. Bounds memory to 64 × 16 KiB.</summary>
    private const int OpenChunksMax = 64;

    private readonly ArrayBufferWriter<byte> _closed = new();
    private readonly List<ClosedChunk> _chunks = [];
    private readonly List<OpenChunk> _open = [];
    private readonly Stack<OpenChunk> _spare = new();
    private int _openBytes;
    private int _tableBytes = ChunkTable.HeaderLength;

    /// <summary>Messages collected.</summary>
    public int Count { get; private set; }

    public bool IsEmpty => Count == 0;

    /// <summary>Length of the body that these messages make. Unit: bytes.</summary>
    public int BodyLength => _tableBytes + _closed.WrittenCount + _openBytes;

    /// <summary>Why no batch of this cluster can hold this message, as a sentence; null when one can.</summary>
    public string? WhyIllegal(in Message message) => MessageRecord.WhyIllegal(message, limits.MessageBytesMax);

    /// <summary>Adds a message (its bytes are copied); false when the batch has no room left for it. An empty batch has room for every legal message.</summary>
    public bool TryAdd(in Message message)
    {
        int length = MessageRecord.FullLength(message);
        // The most that a message can cost in the table: a chunk of its own.
        int tableCost = ChunkTable.EntryLength(message.Subject, 1);
        if (Count >= limits.MessageCountMax
            || _tableBytes + tableCost > limits.TableBytesMax
            || BodyLength + tableCost + length > limits.BatchBytesMax)
        {
            return false;
        }

        OpenChunk chunk = ChunkFor(message.Subject, length);
        _tableBytes += chunk.Add(message, length, Count);
        _openBytes += length;
        Count++;
        return true;
    }

    /// <summary>Writes the body (<see cref="BodyLength"/> bytes) and empties the builder.</summary>
    /// <exception cref="InvalidOperationException">There are no messages.</exception>
    public BodyDescription Build(Span<byte> destination)
    {
        if (IsEmpty)
        {
            throw new InvalidOperationException("A batch has at least one message.");
        }

        while (_open.Count > 0)
        {
            Close(_open[0]);
        }

        int position = ChunkTable.WriteHeader(destination, _tableBytes, _chunks.Count);
        foreach (ClosedChunk chunk in _chunks)
        {
            position += ChunkTable.WriteEntry(destination[position..], chunk.Subject, chunk.Length, chunk.MessageCount, chunk.Runs);
        }

        _closed.WrittenSpan.CopyTo(destination[position..]);
        int length = position + _closed.WrittenCount;
        if (!ChunkTable.TryRead(destination[..length], Count, limits.TableBytesMax, out ChunkTable? table))
        {
            throw new InvalidOperationException("The body that was built has no legal table.");
        }

        BodyDescription description = new(BodyRoot.Of(destination[..length], table), _chunks.Count + 1, Count, length, BodyEncoding.Identity);
        _closed.ResetWrittenCount();
        _chunks.Clear();
        _tableBytes = ChunkTable.HeaderLength;
        Count = 0;
        return description;
    }

    private OpenChunk ChunkFor(string subject, int length)
    {
        foreach (OpenChunk open in _open)
        {
            if (string.Equals(open.Subject, subject, StringComparison.Ordinal))
            {
                if (open.Length + length <= FormatLimits.ChunkBytesTarget)
                {
                    return open;
                }

                Close(open);
                break;
            }
        }

        if (_open.Count == OpenChunksMax)
        {
            Close(_open[0]);
        }

        OpenChunk chunk = _spare.TryPop(out OpenChunk? spare) ? spare : new OpenChunk();
        chunk.Subject = subject;
        _open.Add(chunk);
        _tableBytes += ChunkTable.EntryLength(subject, 0);
        return chunk;
    }

    private void Close(OpenChunk chunk)
    {
        _open.Remove(chunk);
        _closed.Write(chunk.Written);
        _openBytes -= chunk.Length;
        _chunks.Add(new ClosedChunk(chunk.Subject, chunk.Length, chunk.MessageCount, chunk.Runs.ToArray()));
        chunk.Reset();
        _spare.Push(chunk);
    }

    private sealed record ClosedChunk(string Subject, int Length, int MessageCount, PositionRun[] Runs);

    private sealed class OpenChunk
    {
        private byte[] _bytes = new byte[FormatLimits.ChunkBytesTarget];

        public string Subject { get; set; } = string.Empty;

        public int Length { get; private set; }

        public int MessageCount { get; private set; }

        public List<PositionRun> Runs { get; } = [];

        public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

        /// <summary>Adds a message and returns by how much the table grows.</summary>
        public int Add(in Message message, int length, int position)
        {
            if (_bytes.Length - Length < length)
            {
                // Only a message above the target, which has its chunk alone.
                _bytes = new byte[length];
            }

            Length += MessageRecord.Write(_bytes.AsSpan(Length), message);
            MessageCount++;
            if (Runs.Count > 0 && Runs[^1] is PositionRun last && last.First + last.Count == position)
            {
                Runs[^1] = last with { Count = last.Count + 1 };
                return 0;
            }

            Runs.Add(new PositionRun(position, 1));
            return ChunkTable.RunLength;
        }

        public void Reset()
        {
            if (_bytes.Length > FormatLimits.ChunkBytesTarget)
            {
                _bytes = new byte[FormatLimits.ChunkBytesTarget];
            }

            Length = 0;
            MessageCount = 0;
            Runs.Clear();
        }
    }
}
