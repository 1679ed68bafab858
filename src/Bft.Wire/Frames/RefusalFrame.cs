using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>A batch is not acked: a <see cref="Refusal"/> as it travels, what it shows still unparsed (P6).</summary>
/// <param name="Slot">The slot refused.</param>
/// <param name="Reason">Why; a number that this version does not know is <see cref="RefusalReason.Unknown"/>.</param>
/// <param name="Text">For people; cut at <see cref="FrameLimits.TextBytesMax"/> when it is sent.</param>
public sealed record RefusalFrame(Slot Slot, RefusalReason Reason, string Text = "") : IPublishReply
{
    /// <inheritdoc cref="Refusal.Original"/>
    public SignedStatement? Original { get; init; }

    /// <summary>The bytes of an <see cref="AckBundle"/>. <value>Default: empty, none.</value></summary>
    public ReadOnlyMemory<byte> Acks { get; init; }

    /// <summary>The bytes of a <see cref="QuorumCertificate"/>. <value>Default: empty, none.</value></summary>
    public ReadOnlyMemory<byte> Certificate { get; init; }

    /// <inheritdoc cref="Refusal.Live"/>
    public IReadOnlyList<SignedStatement> Live { get; init; } = [];

    FrameKind IFrame.Kind => FrameKind.Refusal;

    /// <summary>A refusal of our own.</summary>
    public static RefusalFrame From(Refusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        return new RefusalFrame(refusal.Slot, refusal.Reason, refusal.Text)
        {
            Original = refusal.Original,
            Acks = refusal.Acks?.Encode(),
            Certificate = refusal.Certificate?.Bytes ?? default,
            Live = refusal.Live.Count <= FrameLimits.RefusalLiveMax ? refusal.Live : [.. refusal.Live.Take(FrameLimits.RefusalLiveMax)],
        };
    }

    /// <summary>A witness's refusal, to be judged; false when the acks or the certificate are not even that.</summary>
    public bool TryParse(ClusterId cluster, [NotNullWhen(true)] out Refusal? refusal)
    {
        AckBundle? acks = null;
        QuorumCertificate? certificate = null;
        bool parsed = (Acks.IsEmpty || AckBundle.TryParse(cluster, Acks.Span, out acks))
            && (Certificate.IsEmpty || QuorumCertificate.TryParse(Certificate.Span, out certificate));
        refusal = parsed ? new Refusal(Slot, Reason, Original, acks, certificate, Text) { Live = Live } : null;
        return parsed;
    }

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Digest(1, Slot.Stream.Digest);
        writer.Number(2, Slot.Sequence.Value);
        writer.Number(3, (int)Reason);
        if (Original is { } original)
        {
            StatementFields.Write(ref writer, 4, [original]);
        }

        writer.Bytes(5, Acks.Span);
        writer.Bytes(6, Certificate.Span);
        writer.Text(7, Text);
        StatementFields.Write(ref writer, 8, Live);
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
            && bytes.TryStatements(4, 1, out SignedStatement[] original)
            && bytes.TryStatements(8, FrameLimits.RefusalLiveMax, out SignedStatement[] live)
            ? new RefusalFrame(new Slot(id, at), ReasonOf(reason), words)
            {
                Original = original.Length == 0 ? null : original[0],
                Acks = ackBytes,
                Certificate = certificateBytes,
                Live = live,
            }
            : null;
    }

    private static RefusalReason ReasonOf(int number) =>
        number <= byte.MaxValue && Enum.IsDefined((RefusalReason)number) ? (RefusalReason)number : RefusalReason.Unknown;
}
