using System.Buffers;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Why a batch is not acked. Numbers are the wire's: below 32 final for these bytes, from 32 on worth trying again.</summary>
public enum RefusalReason
{
    Unspecified = 0,
    Malformed = 1,

    /// <summary>Or a key that is none.</summary>
    BadSignature = 2,

    /// <summary>Or another epoch.</summary>
    OtherCluster = 3,

    /// <summary>A limit of the cluster.</summary>
    OverLimit = 4,

    /// <summary>The topic's policy.</summary>
    NotAllowed = 5,

    /// <summary>W3: another batch stands in the slot; its original and the ack or certificate come along.</summary>
    Conflict = 6,

    /// <summary>The stream's tip certificate comes along.</summary>
    BelowFloor = 7,

    /// <summary>W11: the incarnation; originals of the live ones come along.</summary>
    Retired = 8,

    /// <summary>W10.</summary>
    ProvenFaulty = 9,

    /// <summary>W4.</summary>
    OutOfWindow = 32,

    /// <summary>The incarnation is more than a day ahead of the witness's clock.</summary>
    TooFarAhead = 33,

    /// <summary>W11: as many incarnations live as may; their originals come along.</summary>
    Full = 34,

    /// <summary>More unfinished work than this client's share.</summary>
    Busy = 35,

    /// <summary>Recovering, or lost its memory (W9): try others.</summary>
    NotAcking = 36,

    ShuttingDown = 37,
}

/// <summary>What a reason means for the sender.</summary>
public static class RefusalReasons
{
    /// <summary>The same bytes may be accepted by the same witness later. A reason that this version does not know is judged by its number alike.</summary>
    public static bool IsRetriable(this RefusalReason reason) => (int)reason >= (int)RefusalReason.OutOfWindow;
}

/// <summary>A batch is not acked. Without proof it is not believed (P6).</summary>
/// <param name="Slot">The batch's slot.</param>
/// <param name="Reason">Why.</param>
/// <param name="Text">For people; cut at <see cref="FrameLimits.TextBytesMax"/> when it is sent.</param>
public sealed record RefusalFrame(Slot Slot, RefusalReason Reason, string Text = "") : IPublishReply
{
    /// <summary>What the witness has instead: the batch acked in that slot, or originals of the live incarnations. <value>Default: none.</value></summary>
    public IReadOnlyList<SignedStatement> Originals { get; init; } = [];

    /// <summary>The bytes of an <see cref="AckBundle"/> with the witness's ack of what it has. <value>Default: empty, none.</value></summary>
    public ReadOnlyMemory<byte> Acks { get; init; }

    /// <summary>The bytes of a certificate that covers the slot or shows the stream's tip. <value>Default: empty, none.</value></summary>
    public ReadOnlyMemory<byte> Certificate { get; init; }

    FrameKind IFrame.Kind => FrameKind.Refusal;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Digest(1, Slot.Stream.Digest);
        writer.Number(2, Slot.Sequence.Value);
        writer.Number(3, (int)Reason);
        StatementFields.Write(ref writer, 4, Originals);
        writer.Bytes(5, Acks.Span);
        writer.Bytes(6, Certificate.Span);
        writer.Text(7, Text);
    }

    internal static RefusalFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> stream = default, acks = default, certificate = default, text = default;
        ulong sequence = 0;
        int reason = 0;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref stream) || reader.Number(2, ref sequence) || reader.Number(3, ref reason)
                || reader.Bytes(5, ref acks) || reader.Bytes(6, ref certificate) || reader.Bytes(7, ref text);
        }

        return reader.IsWhole
            && stream.TryStream(out StreamId id)
            && Sequence.TryCreate(sequence, out Sequence at)
            && acks.TryOptionalAckBundle(out ReadOnlyMemory<byte> ackBytes)
            && certificate.TryOptionalCertificate(out ReadOnlyMemory<byte> certificateBytes)
            && text.TryText(out string words)
            && bytes.TryStatements(4, FrameLimits.RefusalOriginalsMax, out SignedStatement[] originals)
            ? new RefusalFrame(new Slot(id, at), (RefusalReason)reason, words) { Originals = originals, Acks = ackBytes, Certificate = certificateBytes }
            : null;
    }
}
