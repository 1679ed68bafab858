using System.Buffers.Binary;
using Bft.Cli.Proofs;
using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Targets;

/// <summary>Receipts: bytes, then what they prove.</summary>
internal sealed class ReceiptTarget() : Target<Receipt?>("receipt")
{
    private readonly ReceiptVerifier _verifier = new(World.Committee, Ed25519.Instance);

    public override int LengthMax => 64 * 1024;

    public override IEnumerable<Seed> Seeds()
    {
        foreach (Seed seed in World.Receipts.SelectMany((receipt, index) => Edges.Of($"receipt{index}", receipt.Encode(), index == 1 ? [0] : [])))
        {
            yield return seed;
        }

        Receipt some = World.Receipts[0];
        yield return new Seed("chunks-of-nothing", (some with { Chunks = [.. Enumerable.Repeat(new ReceiptChunk(1, default, []), 3000)] }).Encode());
        yield return new Seed("chain-of-nothing", (some with { Chain = new ReadOnlyMemory<byte>[4096] }).Encode());
        yield return new Seed("many-positions", (some with { Positions = [.. Enumerable.Range(0, 4000)] }).Encode());
    }

    public override byte[] Repair(byte[] input) => WithLength(input);

    protected override Receipt? Decode(byte[] input) => Receipt.TryParse(input, out Receipt? receipt, out _) ? receipt : null;

    protected override Outcome Judge(byte[] input, Receipt? decoded)
    {
        if (decoded is not { } receipt)
        {
            return Outcome.Rejected();
        }

        byte[] again = receipt.Encode();
        OracleException.RequireSame(input.AsSpan(0, Math.Min(input.Length, again.Length)), again, "A receipt");
        if (!_verifier.TryVerify(receipt, out VerifiedReceipt? verified, out RejectReason reason))
        {
            return Outcome.Accepted.With((ulong)reason).Sized(receipt.Chunks.Count).Sized(receipt.Chain.Count);
        }

        OracleException.Require(World.IsSigned(verified.Statement.Digest), "A receipt proves a batch that nobody signed.");
        VerifiedBatch batch = World.Batches.Single(batch => batch.Digest == verified.Statement.Digest);
        foreach (ProvenMessage proven in verified.Messages)
        {
            OracleException.Require(proven.Position < batch.Statement.Statement.Body.MessageCount, "A receipt proves a message that the batch does not have.");
            OracleException.Require(batch.Body.Span.IndexOf(proven.Content.Message.Payload.Span) >= 0, "A receipt proves a message that the batch does not hold.");
        }

        return Outcome.Accepted.With("verified").Sized(verified.Messages.Count);
    }

    /// <summary>With the length that it begins with put right.</summary>
    internal static byte[] WithLength(byte[] input)
    {
        byte[] repaired = [.. input];
        if (repaired.Length >= Receipt.PrefixLength)
        {
            BinaryPrimitives.WriteInt32LittleEndian(repaired, repaired.Length - Receipt.PrefixLength);
        }

        return repaired;
    }
}

/// <summary>A file of receipts, as `bft verify` reads it.</summary>
internal sealed class ReceiptFileTarget() : Target<(int Count, string? Refusal)>("receipt-file")
{
    public override int LengthMax => 64 * 1024;

    /// <summary>The reader's own buffer beside the bound.</summary>
    public override long AllocatedMax(int length) => base.AllocatedMax(length) + (64 * 1024);

    public override IEnumerable<Seed> Seeds() =>
        Edges.Of("three", [.. World.Receipts.Take(3).SelectMany(receipt => receipt.Encode())], 0).Append(new Seed("a-length-alone", [0xf0, 0xff, 0xff, 0x01])).Append(new Seed("empty", []));

    protected override (int Count, string? Refusal) Decode(byte[] input)
    {
        using MemoryStream file = new(input);
        ReceiptFileReader reader = new(file);
        try
        {
            while (reader.Next() is not null)
            {
            }
        }
        catch (Cli.CommandException refusal)
        {
            return (reader.Count, refusal.Message);
        }

        return (reader.Count, null);
    }

    protected override Outcome Judge(byte[] input, (int Count, string? Refusal) decoded) =>
        (decoded.Refusal is null ? Outcome.Accepted : Outcome.Rejected(decoded.Refusal[..5])).Sized(decoded.Count);
}
