using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receiving;

/// <summary>How far a reader is in one stream.</summary>
/// <param name="Next">The slot that it reads next.</param>
/// <param name="Last">Digest of the batch before; zeros when the reader did not take that batch, which is then not compared with what follows (R1).</param>
/// <param name="MessagesTaken">Messages of the batch at <paramref name="Next"/> that it took already.</param>
public readonly record struct CursorPosition(Sequence Next, Digest Last = default, int MessagesTaken = 0)
{
    public override int GetHashCode() => Next.GetHashCode();
}

/// <summary>Where a reader is in a topic: a position per stream; streams that are not listed are read from their beginning (R3).</summary>
/// <remarks>As large as the topic has streams that the reader met, about 80 bytes each; retention drops streams, and <see cref="Forget"/> follows.</remarks>
public sealed class Cursor(Topic topic)
{
    private const byte Version = 1;
    private const int HeadFixedLength = 1 + 2 + 4;
    private const int EntryLength = Digest.Length + 8 + Digest.Length + 4;

    private readonly SortedDictionary<StreamId, CursorPosition> _positions = [];

    public Topic Topic => topic;

    public IReadOnlyDictionary<StreamId, CursorPosition> Positions => _positions;

    public CursorPosition PositionOf(StreamId stream) => _positions.GetValueOrDefault(stream);

    public void Set(StreamId stream, CursorPosition position) => _positions[stream] = position;

    /// <summary>The reader took this batch whole.</summary>
    public void Advance(BatchRef taken) => Set(taken.Stream, new CursorPosition(taken.Sequence.Following, taken.Digest));

    /// <summary>The stream is gone from the topic.</summary>
    public void Forget(StreamId stream) => _positions.Remove(stream);

    public Cursor Copy()
    {
        Cursor copy = new(topic);
        foreach ((StreamId stream, CursorPosition position) in _positions)
        {
            copy.Set(stream, position);
        }

        return copy;
    }

    public byte[] Encode()
    {
        byte[] bytes = new byte[HeadFixedLength + topic.Length + (_positions.Count * EntryLength)];
        StatementWriter writer = new(bytes);
        writer.U8(Version);
        writer.Topic(topic);
        writer.U32((uint)_positions.Count);
        foreach ((StreamId stream, CursorPosition position) in _positions)
        {
            writer.Digest(stream.Digest);
            writer.U64(position.Next.Value);
            writer.Digest(position.Last);
            writer.U32((uint)position.MessagesTaken);
        }

        return bytes;
    }

    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Cursor? cursor)
    {
        cursor = null;
        StatementReader reader = new(bytes);
        reader.Require(reader.U8() == Version);
        Topic topic = reader.Topic();
        int count = reader.Count(int.MaxValue);
        if (reader.IsFailed || count != (bytes.Length - reader.Position) / EntryLength)
        {
            return false;
        }

        Cursor read = new(topic);
        StreamId? before = null;
        for (int i = 0; i < count; i++)
        {
            StreamId stream = new(reader.Digest());
            CursorPosition position = new(reader.Sequence(), reader.Digest(), reader.Count(int.MaxValue));

            // One set of positions has one encoding.
            reader.Require(before is null || before < stream);
            before = stream;
            read.Set(stream, position);
        }

        cursor = reader.IsComplete ? read : null;
        return cursor is not null;
    }
}
