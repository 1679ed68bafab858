using System.Buffers;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>A certificate and statements that it covers: handed over (P5, R5), the answer for a covered slot (W2), or a range to read (S1).</summary>
/// <param name="Certificate">The bytes of a <see cref="QuorumCertificate"/>.</param>
/// <param name="Statements">Of consecutive slots, in ascending order, the last one the certificate's own. None where the other side is expected to have them.</param>
public sealed record CertifiedFrame(ReadOnlyMemory<byte> Certificate, IReadOnlyList<SignedStatement> Statements)
    : IPublishRequest, IPublishReply, ISubscribeReply, IFetchReply
{
    FrameKind IFrame.Kind => FrameKind.Certified;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Bytes(1, Certificate.Span);
        StatementFields.Write(ref writer, 2, Statements);
    }

    internal static CertifiedFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> certificate = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref certificate);
        }

        return reader.IsWhole
            && certificate.TryCertificate(out ReadOnlyMemory<byte> value)
            && bytes.TryStatements(2, FrameLimits.StatementsMax, out SignedStatement[] statements)
            ? new CertifiedFrame(value, statements)
            : null;
    }
}

/// <summary>The highest slot of a stream that the sender has stored without a gap (W7, W8).</summary>
/// <param name="Certificate">The bytes of the tip's <see cref="QuorumCertificate"/>.</param>
public sealed record TipFrame(ReadOnlyMemory<byte> Certificate) : IPublishReply, ISubscribeReply, IExchangeRequest
{
    FrameKind IFrame.Kind => FrameKind.Tip;

    void IFrame.Write(ref FieldWriter writer) => writer.Bytes(1, Certificate.Span);

    internal static TipFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> certificate = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref certificate);
        }

        return reader.IsWhole && certificate.TryCertificate(out ReadOnlyMemory<byte> value) ? new TipFrame(value) : null;
    }
}
