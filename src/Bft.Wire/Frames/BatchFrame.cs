using System.Buffers;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Verification;
using Bft.Wire.Encoding;

namespace Bft.Wire.Frames;

/// <summary>A batch with its body (P3, W6).</summary>
/// <param name="Batch">Received: its body is a copy in a <see cref="PooledBuffer"/>, which is its <see cref="SignedBatch.BodyOwner"/>.</param>
public sealed record BatchFrame(SignedBatch Batch) : IPublishRequest, IFetchReply
{
    FrameKind IFrame.Kind => FrameKind.Batch;

    void IFrame.Write(ref FieldWriter writer)
    {
        writer.Bytes(1, Batch.Statement.Span);
        writer.Signature(2, Batch.Signature);
        writer.Bytes(3, Batch.Body.Span);
    }

    internal static BatchFrame? Read(in ReadOnlySequence<byte> bytes)
    {
        ReadOnlySequence<byte> statement = default, signature = default, body = default;
        FieldReader reader = new(bytes);
        while (reader.Next())
        {
            _ = reader.Bytes(1, ref statement) || reader.Bytes(2, ref signature) || reader.Bytes(3, ref body);
        }

        if (!reader.IsWhole
            || !statement.TryOpaque(FrameLimits.StatementBytesMin, FormatLimits.BatchStatementBytesMax, out ReadOnlyMemory<byte> statementBytes)
            || !signature.TrySignature(out Signature value))
        {
            return null;
        }

        PooledBuffer? owner = body.IsEmpty ? null : PooledBuffer.CopyOf(body);
        return new BatchFrame(new SignedBatch(statementBytes, value, owner?.Memory ?? default, owner));
    }
}
