using System.Buffers;
using Bft.Protocol.Model;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>The body of a batch whose statement came before, in a <see cref="CertifiedFrame"/>; in a publish reply in a <see cref="StandingFrame"/> (P7).</summary>
/// <param name="Slot">Which batch's.</param>
/// <param name="Body">Received: a copy in a <see cref="PooledBuffer"/>, which is the owner.</param>
/// <param name="BodyOwner">Whom to give the body's memory back to; null when the garbage collector is enough.</param>
public sealed record BodyFrame(Slot Slot, ReadOnlyMemory<byte> Body, IDisposable? BodyOwner = null) : IPublishReply, ISubscribeReply, IFetchReply
{
    FrameKind IFrame.Kind => FrameKind.Body;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Digest(1, Slot.Stream.Digest);
        writer.Number(2, Slot.Sequence.Value);
        writer.Bytes(3, Body.Span);
    }

    internal static BodyFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> stream = default, body = default;
        ulong sequence = 0;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref stream) || reader.Number(2, ref sequence) || reader.Bytes(3, ref body);
        }

        if (!reader.IsWhole || !stream.TryStream(out StreamId id) || !Sequence.TryCreate(sequence, out Sequence at))
        {
            return null;
        }

        PooledBuffer? owner = body.IsEmpty ? null : PooledBuffer.CopyOf(body);
        return new BodyFrame(new Slot(id, at), owner?.Memory ?? default, owner);
    }
}
