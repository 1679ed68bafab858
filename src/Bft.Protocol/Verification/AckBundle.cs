using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>One ack under a root: the leaf, where it stands, and the path to the root.</summary>
/// <param name="Statement">The claim.</param>
/// <param name="LeafIndex">From 0, below the root's leaf count.</param>
/// <param name="Path">Sibling digests from the leaf up; at most <see cref="FormatLimits.AckPathMax"/>.</param>
public sealed record AckLeaf(AckStatement Statement, int LeafIndex, IReadOnlyList<Digest> Path)
{
    internal Digest[] PathArray => Path as Digest[] ?? [.. Path];
}

/// <summary>Acks as they travel: a signed root and some or all of its leaves. Nothing about it is known to be true.</summary>
/// <remarks>Layout: docs/wire.md. The cluster is not in the bytes: it is the reader's own.</remarks>
public sealed record AckBundle(AckRootStatement Root, Signature Signature, IReadOnlyList<AckLeaf> Leaves)
{
    private const int HeadLength = 4 + 1 + 8 + 8 + 4 + Digest.Length + Signature.Length + 4;
    private const int LeafFixedLength = Digest.Length + 8 + Digest.Length + 8 + 4 + 1;

    public byte[] Encode()
    {
        int length = HeadLength;
        foreach (AckLeaf leaf in Leaves)
        {
            length += LeafFixedLength + (leaf.Path.Count * Digest.Length);
        }

        byte[] bytes = new byte[length];
        StatementWriter writer = new(bytes);
        writer.U32(Root.Epoch.Value);
        writer.U8(Root.Witness.Value);
        writer.U64(Root.Run.Value);
        writer.U64(Root.Mark.Value);
        writer.U32((uint)Root.LeafCount);
        writer.Digest(Root.Root);
        writer.Signature(Signature);
        writer.U32((uint)Leaves.Count);
        foreach (AckLeaf leaf in Leaves)
        {
            writer.BatchRef(leaf.Statement.Batch);
            writer.U64(leaf.Statement.Base.Value);
            writer.U32((uint)leaf.LeafIndex);
            writer.Path(leaf.PathArray);
        }

        return bytes;
    }

    public static bool TryParse(ClusterId cluster, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AckBundle? bundle)
    {
        bundle = null;
        StatementReader reader = new(bytes);
        Epoch epoch = new(reader.U32());
        int witness = reader.U8();
        Run run = new(reader.U64());
        Mark mark = new(reader.U64());
        int leafCount = reader.Count(FormatLimits.AckLeavesMax);
        Digest root = reader.Digest();
        Signature signature = reader.Signature();
        int count = reader.Count(FormatLimits.AckLeavesMax);
        if (reader.IsFailed || witness >= CommitteeSize.Max || leafCount == 0 || count == 0 || count > (bytes.Length - reader.Position) / LeafFixedLength)
        {
            return false;
        }

        AckLeaf[] leaves = new AckLeaf[count];
        for (int i = 0; i < count; i++)
        {
            AckStatement statement = new(reader.BatchRef(), reader.Sequence());
            leaves[i] = new AckLeaf(statement, reader.Count(leafCount - 1), reader.Path());
        }

        if (!reader.IsComplete)
        {
            return false;
        }

        bundle = new AckBundle(new AckRootStatement(cluster, epoch, new WitnessIndex(witness), run, mark, leafCount, root), signature, leaves);
        return true;
    }
}
