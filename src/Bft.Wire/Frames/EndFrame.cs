using System.Buffers;
using Bft.Protocol.Model;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Why a witness ends a subscription. Numbers are the wire's.</summary>
public enum EndReason
{
    Unspecified = 0,

    /// <summary>The client did not read fast enough; resume from the cursor (R6).</summary>
    SlowConsumer = 1,

    /// <summary>Resume at another witness.</summary>
    ShuttingDown = 2,

    /// <summary>A cursor lies below the floor; a <see cref="FloorFrame"/> came before.</summary>
    BelowFloor = 3,

    /// <summary>The topic's policy does not let this client read.</summary>
    NotAllowed = 4,

    /// <summary>Too many subscriptions, or too many cursors.</summary>
    OverLimit = 5,

    /// <summary>The client sent what no client should send.</summary>
    Malformed = 6,

    /// <summary>The witness stopped serving; an operator is needed.</summary>
    Faulted = 7,
}

/// <summary>The last frame of a subscription that the witness ends: none ends silently.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Text">For people; cut at <see cref="FrameLimits.TextBytesMax"/> when it is sent.</param>
public sealed record EndFrame(EndReason Reason, string Text = "") : ISubscribeReply
{
    FrameKind IFrame.Kind => FrameKind.End;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Number(1, (int)Reason);
        writer.Text(2, Text);
    }

    internal static EndFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> text = default;
        int reason = 0;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Number(1, ref reason) || reader.Bytes(2, ref text);
        }

        return reader.IsWhole && text.TryText(out string words) ? new EndFrame((EndReason)reason, words) : null;
    }
}

/// <summary>The lowest slot of a stream whose body is still kept (R4, S2, S3).</summary>
/// <param name="Slot">The floor.</param>
/// <param name="Certificate">The bytes of a certificate at or above the slot before the floor; the floor counts with it only.</param>
public sealed record FloorFrame(Slot Slot, ReadOnlyMemory<byte> Certificate) : ISubscribeReply, IFetchReply
{
    FrameKind IFrame.Kind => FrameKind.Floor;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Digest(1, Slot.Stream.Digest);
        writer.Number(2, Slot.Sequence.Value);
        writer.Bytes(3, Certificate.Span);
    }

    internal static FloorFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> stream = default, certificate = default;
        ulong sequence = 0;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref stream) || reader.Number(2, ref sequence) || reader.Bytes(3, ref certificate);
        }

        return reader.IsWhole
            && stream.TryStream(out StreamId id)
            && Sequence.TryCreate(sequence, out Sequence at)
            && certificate.TryCertificate(out ReadOnlyMemory<byte> value)
            ? new FloorFrame(new Slot(id, at), value)
            : null;
    }
}
