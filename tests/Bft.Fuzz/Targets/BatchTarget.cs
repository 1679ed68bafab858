using System.Buffers.Binary;
using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Protocol.Bodies;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Targets;

/// <summary>Signed batches with their bodies, all that stands between a publisher's bytes and the core: u16 length of the statement · statement · signature · body.</summary>
internal sealed class BatchTarget() : Target<(VerifiedBatch? Batch, RejectReason Reason)>("batch")
{
    public override int LengthMax => 128 * 1024;

    public override IEnumerable<Seed> Seeds()
    {
        for (int i = 0; i < World.Batches.Length; i++)
        {
            VerifiedBatch batch = World.Batches[i];
            int body = sizeof(ushort) + batch.Statement.Statement.Bytes.Length + Signature.Length;
            foreach (Seed seed in Edges.Of($"batch{i}", Encode(batch, batch.Body.Span), i == 1 ? [body, body + 4, body + 8, body + 12, body + 16, body + 20, body + 24] : []).Take(batch.Body.Length < 4096 ? int.MaxValue : 1))
            {
                yield return seed;
            }
        }
    }

    protected override (VerifiedBatch? Batch, RejectReason Reason) Decode(byte[] input)
    {
        ReadOnlyMemory<byte> bytes = input;
        int length = input.Length < sizeof(ushort) ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(input);
        if (input.Length < sizeof(ushort) + length + Signature.Length)
        {
            return (null, RejectReason.Malformed);
        }

        bytes = bytes[sizeof(ushort)..];
        SignedBatch signed = new(bytes[..length], new Signature(bytes.Span.Slice(length, Signature.Length)), bytes[(length + Signature.Length)..]);
        return (World.Cluster.Batches.TryVerify(signed, out VerifiedBatch? batch, out RejectReason reason) ? batch : null, reason);
    }

    protected override Outcome Judge(byte[] input, (VerifiedBatch? Batch, RejectReason Reason) decoded)
    {
        if (decoded.Batch is not { } batch)
        {
            return Outcome.Rejected((int)decoded.Reason);
        }

        OracleException.Require(World.IsSigned(batch.Digest), "A batch verified that nobody signed.");
        BodyDescription description = batch.Statement.Statement.Body;
        DecodedMessage[] messages = DecodedBody.Read(description, batch.Body, World.Committee.Limits.TableBytesMax);
        OracleException.Require(World.Offenders.Contains(batch.Statement.Statement.Header.Publisher) || messages.All(message => message.Error == DecodeError.None), "A correct publisher's body does not decode.");
        return Outcome.Accepted.Sized(messages.Length);
    }

    private static byte[] Encode(VerifiedBatch batch, ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> statement = batch.Statement.Statement.Bytes.Span;
        byte[] bytes = new byte[sizeof(ushort) + statement.Length + Signature.Length + body.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)statement.Length);
        statement.CopyTo(bytes.AsSpan(sizeof(ushort)));
        batch.Statement.Signature.CopyTo(bytes.AsSpan(sizeof(ushort) + statement.Length));
        body.CopyTo(bytes.AsSpan(bytes.Length - body.Length));
        return bytes;
    }
}
