using System.Buffers;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>What the caller holds with the callee's signature and the highest mark (W9): on each connection first, and as often as it is asked.</summary>
/// <param name="Bundle">The bytes of an <see cref="AckBundle"/> of the callee's; empty when the caller holds none.</param>
/// <param name="Asks">The caller has begun this run, and asks for the like; null when it does not.</param>
/// <param name="Answers">The callee asked in this run, and this is the answer; null when it is none.</param>
public sealed record RecallFrame(ReadOnlyMemory<byte> Bundle, Run? Asks = null, Run? Answers = null) : IExchangeRequest
{
    FrameKind IFrame.Kind => FrameKind.Recall;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Bytes(1, Bundle.Span);
        if (Asks is { } asks)
        {
            writer.PresentNumber(2, asks.Value);
        }

        if (Answers is { } answers)
        {
            writer.PresentNumber(3, answers.Value);
        }
    }

    internal static RecallFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> bundle = default;
        ulong? asks = null, answers = null;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref bundle) || reader.Number(2, ref asks) || reader.Number(3, ref answers);
        }

        return reader.IsWhole && bundle.TryOptionalAckBundle(out ReadOnlyMemory<byte> value) ? new RecallFrame(value, RunOf(asks), RunOf(answers)) : null;
    }

    private static Run? RunOf(ulong? number) => number is { } run ? new Run(run) : null;
}
