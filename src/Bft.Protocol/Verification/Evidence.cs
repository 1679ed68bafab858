using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>What a fault is proven by. The number is the encoding's first byte.</summary>
public enum EvidenceKind : byte
{
    /// <summary>A publisher signed two batches for one slot (P2, W3).</summary>
    PublisherEquivocation = 1,

    /// <summary>A witness signed two acks that claim different batches in one slot (C2).</summary>
    WitnessEquivocation = 2,
}

/// <summary>A statement and its signature, as they travel inside evidence.</summary>
public sealed record SignedStatement(ReadOnlyMemory<byte> Bytes, Signature Signature)
{
    public static SignedStatement From(VerifiedStatement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        return new SignedStatement(statement.Statement.Bytes, statement.Signature);
    }
}

/// <summary>An ack with statements that lead from its batch down to the slot in dispute.</summary>
/// <param name="Ack">One leaf under a signed root.</param>
/// <param name="Chain">
/// Statement bytes, the ack's own batch first, each the predecessor of the one before; the last one names the digest in the disputed slot as
/// its <i>previous</i>. Empty when the ack's own slot is in dispute. Needs no signatures: the digests link it.
/// </param>
public sealed record AckWithChain(AckBundle Ack, IReadOnlyList<ReadOnlyMemory<byte>> Chain);

/// <summary>Two signed originals where one is allowed: proves a fault to anybody who knows the committee. Not yet verified.</summary>
public abstract record Evidence(EvidenceKind Kind)
{
    /// <summary>Largest encoding that is looked at. Unit: bytes.</summary>
    public const int LengthMax = 4 * 1024 * 1024;

    public abstract byte[] Encode();

    /// <summary>Reads evidence from a peer's bytes.</summary>
    public static bool TryParse(ClusterId cluster, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Evidence? evidence)
    {
        evidence = null;
        if (bytes.Length is 0 or > LengthMax)
        {
            return false;
        }

        StatementReader reader = new(bytes);
        evidence = (EvidenceKind)reader.U8() switch
        {
            EvidenceKind.PublisherEquivocation => PublisherEquivocation.Read(ref reader),
            EvidenceKind.WitnessEquivocation => WitnessEquivocation.Read(cluster, ref reader),
            _ => null,
        };
        evidence = reader.IsComplete ? evidence : null;
        return evidence is not null;
    }
}

/// <summary>Two statements that one publisher signed for one slot.</summary>
public sealed record PublisherEquivocation(SignedStatement First, SignedStatement Second) : Evidence(EvidenceKind.PublisherEquivocation)
{
    public override byte[] Encode()
    {
        byte[] bytes = new byte[1 + 2 + First.Bytes.Length + Signature.Length + 2 + Second.Bytes.Length + Signature.Length];
        StatementWriter writer = new(bytes);
        writer.U8((byte)Kind);
        Write(ref writer, First);
        Write(ref writer, Second);
        return bytes;
    }

    internal static PublisherEquivocation Read(ref StatementReader reader) => new(ReadOne(ref reader), ReadOne(ref reader));

    private static void Write(ref StatementWriter writer, SignedStatement statement)
    {
        writer.U16(statement.Bytes.Length);
        writer.Bytes(statement.Bytes.Span);
        writer.Signature(statement.Signature);
    }

    private static SignedStatement ReadOne(ref StatementReader reader)
    {
        byte[] bytes = reader.Statement().ToArray();
        return new SignedStatement(bytes, reader.Signature());
    }
}

/// <summary>Two acks of one witness whose intervals share a slot, and statement chains that show different batches there.</summary>
public sealed record WitnessEquivocation(AckWithChain First, AckWithChain Second) : Evidence(EvidenceKind.WitnessEquivocation)
{
    /// <summary>Longest chain: the widest window.</summary>
    private const int ChainMax = 4096;

    public override byte[] Encode()
    {
        byte[] first = First.Ack.Encode();
        byte[] second = Second.Ack.Encode();
        byte[] bytes = new byte[1 + 4 + first.Length + ChainLength(First) + 4 + second.Length + ChainLength(Second)];
        StatementWriter writer = new(bytes);
        writer.U8((byte)Kind);
        Write(ref writer, first, First);
        Write(ref writer, second, Second);
        return bytes;
    }

    internal static WitnessEquivocation? Read(ClusterId cluster, ref StatementReader reader)
    {
        AckWithChain? first = ReadOne(cluster, ref reader);
        AckWithChain? second = ReadOne(cluster, ref reader);
        return first is null || second is null ? null : new WitnessEquivocation(first, second);
    }

    private static int ChainLength(AckWithChain side) => 2 + side.Chain.Sum(statement => 2 + statement.Length);

    private static void Write(ref StatementWriter writer, byte[] ack, AckWithChain side)
    {
        writer.U32((uint)ack.Length);
        writer.Bytes(ack);
        writer.U16(side.Chain.Count);
        foreach (ReadOnlyMemory<byte> statement in side.Chain)
        {
            writer.U16(statement.Length);
            writer.Bytes(statement.Span);
        }
    }

    private static AckWithChain? ReadOne(ClusterId cluster, ref StatementReader reader)
    {
        ReadOnlySpan<byte> ackBytes = reader.Bytes(reader.Count(LengthMax));
        bool parsed = AckBundle.TryParse(cluster, ackBytes, out AckBundle? ack);
        int count = reader.U16();
        reader.Require(parsed && count <= ChainMax);
        List<ReadOnlyMemory<byte>> chain = [];
        for (int i = 0; i < count && !reader.IsFailed; i++)
        {
            chain.Add(reader.Statement().ToArray());
        }

        return parsed ? new AckWithChain(ack!, chain) : null;
    }
}
