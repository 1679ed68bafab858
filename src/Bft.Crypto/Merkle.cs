using System.Numerics;

namespace Bft.Crypto;

/// <summary>Merkle tree hashing of RFC 6962, section 2.1, with SHA-256: what a party computes that does not keep the tree.</summary>
/// <remarks>
/// Leaves and inner nodes are hashed under distinct prefixes, so that no inner node passes for a leaf.
/// A root says nothing about how many leaves it has: sign the count together with it.
/// </remarks>
public static class Merkle
{
    /// <summary>The longest path, in digests: that of a tree of 2³² − 1 leaves.</summary>
    public const int DepthMax = 32;

    private const byte LeafPrefix = 0;
    private const byte NodePrefix = 1;

    public static Digest LeafHash(ReadOnlySpan<byte> leaf) => Sha256.Hash(LeafPrefix, leaf);

    /// <summary>The root over leaf hashes; over none it is the SHA-256 of nothing.</summary>
    public static Digest Root(ReadOnlySpan<Digest> leaves)
    {
        // Roots of the complete subtrees so far, largest first: one for each bit that is set in the number of leaves seen.
        Span<Digest> subtrees = stackalloc Digest[DepthMax];
        int count = 0;
        for (int i = 0; i < leaves.Length; i++)
        {
            Digest node = leaves[i];
            for (int merges = BitOperations.TrailingZeroCount(i + 1); merges > 0; merges--)
            {
                node = NodeHash(subtrees[--count], node);
            }

            subtrees[count++] = node;
        }

        if (count == 0)
        {
            return Sha256.Hash([]);
        }

        Digest root = subtrees[--count];
        while (count > 0)
        {
            root = NodeHash(subtrees[--count], root);
        }

        return root;
    }

    /// <summary>
    /// The root that a leaf and its inclusion path lead to (RFC 9162, section 2.1.3.2). The caller compares it with the one that was signed.
    /// </summary>
    /// <remarks>Total: for a path, index or count that a peer chose freely it gives a root or false, after at most <see cref="DepthMax"/> hashes.</remarks>
    /// <param name="leafHash">See <see cref="LeafHash"/>.</param>
    /// <param name="index">Position of the leaf, from 0.</param>
    /// <param name="count">Leaves in the tree.</param>
    /// <param name="path">Siblings, from the leaf's up.</param>
    /// <param name="root">The root, or <c>default</c> where the answer is false.</param>
    /// <returns>False where no tree of <paramref name="count"/> leaves has a path of this length at this index.</returns>
    public static bool TryRootFromPath(Digest leafHash, uint index, uint count, ReadOnlySpan<Digest> path, out Digest root)
    {
        root = default;
        if (index >= count)
        {
            return false;
        }

        uint last = count - 1;
        Digest node = leafHash;
        foreach (Digest sibling in path)
        {
            if (last == 0)
            {
                return false;
            }

            // A node on the right edge without a sibling rises as it is: climb to where there is one. With last > 0 there is.
            while (index == last && (index & 1) == 0)
            {
                index >>= 1;
                last >>= 1;
            }

            node = (index & 1) == 1 ? NodeHash(sibling, node) : NodeHash(node, sibling);
            index >>= 1;
            last >>= 1;
        }

        root = last == 0 ? node : default;
        return last == 0;
    }

    internal static Digest NodeHash(in Digest left, in Digest right)
    {
        Span<byte> children = stackalloc byte[2 * Digest.Length];
        left.CopyTo(children);
        right.CopyTo(children[Digest.Length..]);
        return Sha256.Hash(NodePrefix, children);
    }
}
