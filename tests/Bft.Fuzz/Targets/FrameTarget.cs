using System.Buffers;
using Bft.Wire;
using Bft.Wire.Frames;
using Bft.Wire.Tests;
using Google.Protobuf;

namespace Bft.Fuzz.Targets;

/// <summary>Messages of the wire, in all directions; the classes that protobuf generates are the second opinion.</summary>
/// <remarks>What we take they take, for the same; what they refuse we refuse. We are stricter where docs/wire.md says so.</remarks>
internal sealed class FrameTarget() : Target<IFrame>("frame")
{
    public override IEnumerable<Seed> Seeds()
    {
        foreach (Sample sample in Sample.All)
        {
            byte[] bytes = sample.Encoded;
            yield return new Seed(sample.Name, bytes);
            yield return new Seed($"{sample.Name}-cut", bytes[..^1]);
            yield return new Seed($"{sample.Name}-twice", [.. bytes, .. bytes]);
            yield return new Seed($"{sample.Name}-with-unknown", [.. bytes, .. Fields.Bytes(99, [1, 2, 3]), .. Fields.Number(100, ulong.MaxValue)]);
            if (Fields.Split(bytes) is [{ Type: 2 } outer])
            {
                Field[] inner = [.. Fields.Split(outer.Value) ?? []];
                for (int i = 0; i < inner.Length; i++)
                {
                    Field[] without = [.. inner[..i], .. inner[(i + 1)..]];
                    yield return new Seed($"{sample.Name}-without-{i}", Outer(without));
                    yield return new Seed($"{sample.Name}-twice-{i}", Outer([.. inner, inner[i]]));
                    yield return new Seed($"{sample.Name}-other-type-{i}", Outer([.. without, inner[i] with { Type = inner[i].Type == 2 ? 0 : 2, Value = [0] }]));
                }

                byte[] Outer(IEnumerable<Field> fields) => Fields.Join([outer with { Value = Fields.Join(fields) }]);
            }
        }

        yield return new Seed("empty", []);
        yield return new Seed("unknown-frame", Fields.Bytes(22, [1]));
        yield return new Seed("declared-4-gib", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        yield return new Seed("declared-2-to-63", [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        yield return new Seed("overlong-tag", [0x9a, 0x80, 0x80, 0x00, 0x00]);
        yield return new Seed("overlong-length", [0x1a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]);
        yield return new Seed("eleven-byte-varint", [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]);
        yield return new Seed("tenth-byte-too-large", [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]);
        yield return new Seed("field-zero", [0x02, 0x00]);
        yield return new Seed("field-beyond-29-bits", [0x82, 0x80, 0x80, 0x80, 0x10, 0x00]);
        yield return new Seed("groups", [.. Enumerable.Repeat((byte)0x0b, 1000)]);
        yield return new Seed("group-whole", [0x0b, 0x0c]);
        yield return new Seed("fixed-32-and-64", [0x0d, 1, 2, 3, 4, 0x09, 1, 2, 3, 4, 5, 6, 7, 8]);
        yield return new Seed("wire-type-6", [0x0e]);
        yield return new Seed("wire-type-7", [0x0f]);
        yield return new Seed("start-of-empty-cursors", Fields.Bytes(11, [.. Fields.Bytes(1, "t"u8), .. Fields.Number(2, 3), .. Enumerable.Repeat<byte[]>([0x1a, 0], 4000).SelectMany(field => field)]));
        yield return new Seed("status-of-empty-peers", Fields.Bytes(20, [.. Enumerable.Repeat<byte[]>([0x52, 0], 64).SelectMany(field => field)]));
    }

    public override byte[] Repair(byte[] input)
    {
        // The frame's own length, so that what was changed inside is read.
        return input.Length > 2 && Fields.Split(input) is null && Fields.HeadOf(input) is ({ Type: 2 } head, int start) ? Fields.Join([head with { Value = input[start..] }]) : input;
    }

    public override byte[]? Change(byte[] input, Mutator mutator) => Fields.Change(input, mutator, depth: 0);

    protected override IFrame Decode(byte[] input)
    {
        IFrame frame = FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(input));

        // As memory that is not given back: each body costs an array.
        return frame;
    }

    protected override Outcome Judge(byte[] input, IFrame decoded)
    {
        Outcome outcome = decoded is MalformedFrame malformed ? Outcome.Rejected((int)malformed.Reason) : Outcome.Accepted.With((ulong)decoded.Kind);
        InPieces(input, decoded);
        foreach (Envelope envelope in Envelope.All.Where(envelope => decoded is MalformedFrame or EmptyFrame || envelope.Takes(decoded)))
        {
            outcome = outcome.With(Compare(envelope, input, decoded) ? 1UL : 0);
        }

        return outcome.Sized(decoded is MalformedFrame or EmptyFrame ? 0 : Encoded(decoded).Length);
    }

    /// <returns>Both took it.</returns>
    private static bool Compare(Envelope envelope, byte[] input, IFrame decoded)
    {
        IMessage generated;
        try
        {
            generated = envelope.Parse(input);
        }
        catch (InvalidProtocolBufferException refusal)
        {
            return decoded is MalformedFrame ? false : throw new OracleException($"We take as {decoded.Kind} what the generated parser refuses: {refusal.Message}");
        }

        if (decoded is MalformedFrame)
        {
            return false;
        }

        OracleException.Require(envelope.FieldOf(generated) == (envelope.Takes(decoded) ? (int)decoded.Kind : 0), $"We read {decoded.Kind}, the generated parser field {envelope.FieldOf(generated)}.");
        if (decoded is not EmptyFrame)
        {
            if (generated is Wire.V1.PublishReply { Refusal: { } refusal } && decoded is RefusalFrame { Reason: Protocol.Model.RefusalReason.Unknown })
            {
                refusal.Reason = Wire.V1.RefusalReason.Unknown;
            }

            OracleException.RequireSame(generated.ToByteArray(), Encoded(decoded), $"{decoded.Kind}, read by the generated parser,");
        }

        return true;
    }

    /// <summary>What comes in many pieces is read as what comes in one; and is the same again once it was written.</summary>
    private static void InPieces(byte[] input, IFrame decoded)
    {
        IFrame pieces = FrameCodec.Decode<IFrame>(Pieces.Of(input, 1 + (input.Length / 7)));
        OracleException.Require(pieces.GetType() == decoded.GetType(), $"In pieces {pieces.GetType().Name}, in one {decoded.GetType().Name}.");
        if (decoded is not (MalformedFrame or EmptyFrame))
        {
            byte[] bytes = Encoded(decoded);
            OracleException.RequireSame(bytes, Encoded(pieces), "In pieces");
            OracleException.Require(bytes.Length == FrameCodec.LengthOf(decoded), "The length that was said first is another one.");
            OracleException.RequireSame(bytes, Encoded(FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(bytes))), "A frame of ours");
        }
    }

    private static byte[] Encoded(IFrame frame)
    {
        ArrayBufferWriter<byte> output = new();
        FrameCodec.Encode(frame, output);
        return output.WrittenSpan.ToArray();
    }
}
