using System.Buffers;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Asks for slots of one stream. In a publish reply: what the witness lacks after a hand-over. In a publish request: bodies of the publisher's own batches (P7).</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="From">The first slot.</param>
/// <param name="To">The last slot, at or above the first.</param>
/// <param name="WithBodies">False: certificates and statements only.</param>
/// <param name="Batch">W6, among witnesses: the digest of the one batch wanted, in the first slot, certified or not; null for all that is certified.</param>
public sealed record FetchFrame(StreamId Stream, Sequence From, Sequence To, bool WithBodies, Digest? Batch = null) : IPublishRequest, IPublishReply, IFetchRequest
{
    FrameKind IFrame.Kind => FrameKind.Fetch;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Digest(1, Stream.Digest);
        writer.Number(2, From.Value);
        writer.Number(3, To.Value);
        writer.Flag(4, WithBodies);
        if (Batch is { } batch)
        {
            writer.Digest(5, batch);
        }
    }

    internal static FetchFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> stream = default, batch = default;
        ulong from = 0, to = 0;
        bool bodies = false;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref stream) || reader.Number(2, ref from) || reader.Number(3, ref to) || reader.Flag(4, ref bodies) || reader.Bytes(5, ref batch);
        }

        return reader.IsWhole
            && stream.TryStream(out StreamId id)
            && Sequence.TryCreate(from, out Sequence first)
            && Sequence.TryCreate(to, out Sequence last)
            && first <= last
            && batch.TryOptionalDigest(out Digest? one)
            ? new FetchFrame(id, first, last, bodies, one)
            : null;
    }
}

/// <summary>The answer to one fetch is complete.</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="Highest">The highest slot served; null when none was.</param>
/// <param name="IsUnknownStream">The witness has nothing of this stream.</param>
public sealed record FetchedFrame(StreamId Stream, Sequence? Highest, bool IsUnknownStream = false) : IFetchReply
{
    FrameKind IFrame.Kind => FrameKind.Fetched;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Digest(1, Stream.Digest);
        if (Highest is { } highest)
        {
            writer.PresentNumber(2, highest.Value);
        }

        writer.Flag(3, IsUnknownStream);
    }

    internal static FetchedFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> stream = default;
        ulong? highest = null;
        bool unknown = false;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref stream) || reader.Number(2, ref highest) || reader.Flag(3, ref unknown);
        }

        return reader.IsWhole && stream.TryStream(out StreamId id) && FieldValues.TrySequence(highest, out Sequence? at)
            ? new FetchedFrame(id, at, unknown)
            : null;
    }
}
