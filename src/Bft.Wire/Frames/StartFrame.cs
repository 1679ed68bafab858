using System.Buffers;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Where a subscription begins. Numbers are the wire's.</summary>
public enum StartPosition
{
    /// <summary>Each stream from its floor.</summary>
    Earliest = 1,

    /// <summary>What is certified from now on.</summary>
    Latest = 2,

    /// <summary>Each stream named from its cursor, every other from its floor.</summary>
    Cursor = 3,
}

/// <summary>Starts a subscription.</summary>
/// <param name="Topic">What to follow.</param>
/// <param name="From">Where to begin.</param>
/// <param name="Cursors">For <see cref="StartPosition.Cursor"/>: the next slot wanted of each stream, at most <see cref="FrameLimits.CursorsMax"/>.</param>
/// <param name="WithBodies">False: tips only (R4's other witnesses).</param>
public sealed record StartFrame(Topic Topic, StartPosition From, IReadOnlyList<Slot> Cursors, bool WithBodies) : ISubscribeRequest
{
    /// <summary>The stream's field.</summary>
    private const int CursorBytesMin = 2 + Digest.Length;

    FrameKind IFrame.Kind => FrameKind.Start;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Text(1, Topic.Name);
        writer.Number(2, (int)From);
        for (int i = 0; i < Cursors.Count; i++)
        {
            writer.Message(3, new CursorContent(Cursors[i]));
        }

        writer.Flag(4, WithBodies);
    }

    internal static StartFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> topic = default;
        int from = 0;
        bool bodies = false;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref topic) || reader.Number(2, ref from) || reader.Flag(4, ref bodies);
        }

        return reader.IsWhole
            && topic.TryTopic(out Topic value)
            && (StartPosition)from is StartPosition.Earliest or StartPosition.Latest or StartPosition.Cursor
            && bytes.TryList(3, FrameLimits.CursorsMax, CursorBytesMin, TryCursor, out Slot[] cursors)
            ? new StartFrame(value, (StartPosition)from, cursors, bodies)
            : null;
    }

    private static bool TryCursor(in ReadOnlySequence<byte> bytes, out Slot cursor)
    {
        ReadOnlySequence<byte> stream = default;
        ulong next = 0;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref stream) || reader.Number(2, ref next);
        }

        bool read = reader.IsWhole & stream.TryStream(out StreamId id) & Sequence.TryCreate(next, out Sequence at);
        cursor = new Slot(id, at);
        return read;
    }

    private readonly struct CursorContent(Slot cursor) : IContent
    {
        public void Write(ref FieldWriter writer)
        {
            writer.Digest(1, cursor.Stream.Digest);
            writer.Number(2, cursor.Sequence.Value);
        }
    }
}
