using System.Buffers;
using Bft.Crypto;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>The call is alive. Layout of the digests: docs/wire.md.</summary>
/// <param name="TipsDigest">Over the stored tips that the call has shown or should have shown, so that a hidden stream shows (R4, W8). Null when it is not told.</param>
/// <param name="OffendersDigest">In an exchange: over the keys that the sender has evidence about (W8, W10). Null when it is not told.</param>
public sealed record HeartbeatFrame(Digest? TipsDigest = null, Digest? OffendersDigest = null) : IPublishReply, ISubscribeReply, IExchangeRequest
{
    FrameKind IFrame.Kind => FrameKind.Heartbeat;

    void IFrame.Write(ref FieldWriter writer)
    {
        if (TipsDigest is { } tips)
        {
            writer.Digest(1, tips);
        }

        if (OffendersDigest is { } offenders)
        {
            writer.Digest(2, offenders);
        }
    }

    internal static HeartbeatFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> tips = default, offenders = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref tips) || reader.Bytes(2, ref offenders);
        }

        return reader.IsWhole && tips.TryOptionalDigest(out Digest? ofTips) && offenders.TryOptionalDigest(out Digest? ofOffenders)
            ? new HeartbeatFrame(ofTips, ofOffenders)
            : null;
    }
}
