using System.Buffers;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;
using Bft.Wire.Frames;

namespace Bft.Wire;

/// <summary>Frames to bytes and back: the messages of proto/bft/v1, without a copy of a body more than needed.</summary>
/// <remarks>
/// Decoding is total: any bytes give a frame, at worst <see cref="MalformedFrame"/> or <see cref="EmptyFrame"/>, and allocate at most four times their length and 16 KiB.
/// A message with two frames is malformed. All messages share the numbers of their fields, so that one codec serves all.
/// </remarks>
public static class FrameCodec
{
    /// <summary>Largest message that is looked at: the largest body that any cluster allows, and 64 KiB. Unit: bytes.</summary>
    public const int MessageBytesMax = (16 * 1024 * 1024) + (64 * 1024);

    /// <summary>Length of the message that <see cref="Encode"/> writes. Unit: bytes.</summary>
    public static int LengthOf(IFrame frame) => FieldWriter.LengthOf(new Envelope(frame));

    /// <summary>Writes the message that holds this frame.</summary>
    public static void Encode(IFrame frame, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        FieldWriter writer = new(output);
        new Envelope(frame).Write(ref writer);
    }

    /// <summary>Reads one message. Bodies are copied, once; nothing refers to <paramref name="message"/> afterwards.</summary>
    /// <typeparam name="T">The interface of the frames that may stand in this message.</typeparam>
    public static T Decode<T>(in ReadOnlySequence<byte> message)
        where T : class, IFrame
    {
        IFrame frame = Decode(message);
        if (frame is T legal)
        {
            return legal;
        }

        // In this message the field is an unknown one.
        (frame as BatchFrame)?.Batch.BodyOwner?.Dispose();
        (frame as BodyFrame)?.BodyOwner?.Dispose();
        return (T)(object)EmptyFrame.Instance;
    }

    private static IFrame Decode(in ReadOnlySequence<byte> message)
    {
        if (message.Length > MessageBytesMax)
        {
            return new MalformedFrame(RejectReason.OverLimit);
        }

        FrameKind kind = FrameKind.None;
        ReadOnlySequence<byte> content = default;
        FieldReader reader = new(message);
        while (reader.Next())
        {
            if (!reader.IsBytes(out int field, out ReadOnlySequence<byte> value) || field > (int)FrameKind.Info)
            {
                continue;
            }

            if (kind != FrameKind.None)
            {
                return new MalformedFrame(RejectReason.Malformed);
            }

            kind = (FrameKind)field;
            content = value;
        }

        return (reader.IsWhole ? Read(kind, content) : null) ?? new MalformedFrame(RejectReason.Malformed);
    }

    private static IFrame? Read(FrameKind kind, in ReadOnlySequence<byte> content) => kind switch
    {
        FrameKind.Hello => HelloFrame.Read(content),
        FrameKind.Challenge => ChallengeFrame.Read(content),
        FrameKind.Welcome => WelcomeFrame.Read(content),
        FrameKind.Batch => BatchFrame.Read(content),
        FrameKind.Certified => CertifiedFrame.Read(content),
        FrameKind.Acks => AcksFrame.Read(content),
        FrameKind.Tip => TipFrame.Read(content),
        FrameKind.Refusal => RefusalFrame.Read(content),
        FrameKind.Body => BodyFrame.Read(content),
        FrameKind.Heartbeat => HeartbeatFrame.Read(content),
        FrameKind.Start => StartFrame.Read(content),
        FrameKind.Fetch => FetchFrame.Read(content),
        FrameKind.Fetched => FetchedFrame.Read(content),
        FrameKind.Floor => FloorFrame.Read(content),
        FrameKind.End => EndFrame.Read(content),
        FrameKind.Evidence => EvidenceFrame.Read(content),
        FrameKind.Recall => RecallFrame.Read(content),
        FrameKind.Inquiry => InquiryFrame.Read(content),
        FrameKind.Standing => StandingFrame.Read(content),
        FrameKind.Status => StatusFrame.Read(content),
        FrameKind.Info => InfoFrame.Read(content),
        FrameKind.None or _ => EmptyFrame.Instance,
    };

    private readonly struct Envelope(IFrame frame) : IContent
    {
        public void Write(ref FieldWriter writer)
        {
            ArgumentNullException.ThrowIfNull(frame);
            if (frame.Kind != FrameKind.None)
            {
                writer.Message((int)frame.Kind, new Content(frame));
            }
        }
    }

    private readonly struct Content(IFrame frame) : IContent
    {
        public void Write(ref FieldWriter writer) => frame.Write(ref writer);
    }
}
