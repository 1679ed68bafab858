using System.Buffers;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Bodies;

/// <summary>Collects messages into a body: grouped by subject, cut greedily at 16 KiB, positions kept in the table.</summary>
/// <remarks>One builder serves one publisher; what holds messages is pooled memory of all builders, as much as there are messages and a chunk for each subject that is open. Not thread-safe.</remarks>
public sealed class BodyBuilder(ClusterLimits limits)
{
    /// <summary>Subjects with an open chunk at one time; one more closes the chunk that was opened first. Bounds memory to 64 × 16 KiB.</summary>
    private const int OpenChunksMax = 64;

    private readonly List<Chunk> _closed = [];
    private readonly List<Chunk> _open = [];
    private readonly Stack<Chunk> _spare = new(); // without memory; at most OpenChunksMax
    private int _bytes;
    private int _tableBytes = ChunkTable.HeaderLength;

    /// <summary>Messages collected.</summary>
    public int Count { get; private set; }

    public bool IsEmpty => Count == 0;

    /// <summary>Length of the body that these messages make. Unit: bytes.</summary>
    public int BodyLength => _tableBytes + _bytes;

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

        Chunk chunk = ChunkFor(message.Subject, length);
        _tableBytes += chunk.Add(message, length, Count);
        _bytes += length;
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

        int length = ChunkTable.WriteHeader(destination, _tableBytes, _closed.Count);
        foreach (Chunk chunk in _closed)
        {
            length += ChunkTable.WriteEntry(destination[length..], chunk.Subject, chunk.Length, chunk.MessageCount, chunk.Runs);
        }

        foreach (Chunk chunk in _closed)
        {
            chunk.Written.CopyTo(destination[length..]);
            length += chunk.Length;
        }

        if (!ChunkTable.TryRead(destination[..length], Count, limits.TableBytesMax, out ChunkTable? table))
        {
            throw new InvalidOperationException("The body that was built has no legal table.");
        }

        BodyDescription description = new(BodyRoot.Of(destination[..length], table), _closed.Count + 1, Count, length, BodyEncoding.Identity);
        _closed.ForEach(Discard);
        _closed.Clear();
        _tableBytes = ChunkTable.HeaderLength;
        _bytes = 0;
        Count = 0;
        return description;
    }

    private Chunk ChunkFor(string subject, int length)
    {
        foreach (Chunk open in _open)
        {
            if (string.Equals(open.Subject, subject, StringComparison.Ordinal))
            {
                if (open.Length + length <= FormatLimits.ChunkBytesTarget)
                {
                    return open;
                }

                Close(open);
                open.Shrink();
                break;
            }
        }

        if (_open.Count == OpenChunksMax)
        {
            Chunk first = _open[0];
            Close(first);
            first.Shrink();
        }

        Chunk chunk = _spare.TryPop(out Chunk? spare) ? spare : new Chunk();
        chunk.Subject = subject;
        _open.Add(chunk);
        _tableBytes += ChunkTable.EntryLength(subject, 0);
        return chunk;
    }

    private void Close(Chunk chunk)
    {
        _open.Remove(chunk);
        _closed.Add(chunk);
    }

    private void Discard(Chunk chunk)
    {
        chunk.Clear();
        if (_spare.Count < OpenChunksMax)
        {
            _spare.Push(chunk);
        }
    }

    private sealed class Chunk
    {
        private byte[] _bytes = [];

        public string Subject { get; set; } = string.Empty;

        public int Length { get; private set; }

        public int MessageCount { get; private set; }

        public List<PositionRun> Runs { get; } = [];

        public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

        /// <summary>Adds a message and returns by how much the table grows.</summary>
        public int Add(in Message message, int length, int position)
        {
            if (_bytes.Length == 0)
            {
                // Above the target only for a message that has its chunk alone.
                _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(length, FormatLimits.ChunkBytesTarget));
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

        /// <summary>No message follows: thousands of subjects with a message each must not hold a whole chunk's memory each.</summary>
        public void Shrink()
        {
            if (Length > _bytes.Length / 2)
            {
                return;
            }

            byte[] smaller = ArrayPool<byte>.Shared.Rent(Length);
            Written.CopyTo(smaller);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = smaller;
        }

        public void Clear()
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
            Length = 0;
            MessageCount = 0;
            Runs.Clear();
        }
    }
}
