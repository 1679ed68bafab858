using System.Buffers;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>Acks of one witness (W7).</summary>
/// <param name="Bundle">The bytes of an <see cref="AckBundle"/>.</param>
public sealed record AcksFrame(ReadOnlyMemory<byte> Bundle) : IPublishReply, IExchangeRequest
{
    FrameKind IFrame.Kind => FrameKind.Acks;

    void IFrame.Write(ref FieldWriter writer) => writer.Bytes(1, Bundle.Span);

    internal static AcksFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> bundle = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref bundle);
        }

        return reader.IsWhole && bundle.TryAckBundle(out ReadOnlyMemory<byte> value) ? new AcksFrame(value) : null;
    }
}

/// <summary>Proof of a fault (W10).</summary>
/// <param name="Proof">The bytes of an <see cref="Evidence"/>.</param>
public sealed record EvidenceFrame(ReadOnlyMemory<byte> Proof) : IExchangeRequest, IEvidenceReply
{
    FrameKind IFrame.Kind => FrameKind.Evidence;

    void IFrame.Write(ref FieldWriter writer) => writer.Bytes(1, Proof.Span);

    internal static EvidenceFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> proof = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref proof);
        }

        return reader.IsWhole && proof.TryOpaque(1, Evidence.LengthMax, out ReadOnlyMemory<byte> value) ? new EvidenceFrame(value) : null;
    }
}
