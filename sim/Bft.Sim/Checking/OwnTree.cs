using System.Numerics;
using Bft.Crypto;

namespace Bft.Sim;

/// <summary>The checkers' own Merkle hashing, written as RFC 6962, section 2.1, defines it: by halves.</summary>
internal static class OwnTree
{
    public static Digest Leaf(ReadOnlySpan<byte> bytes) => Sha256.Hash([0], bytes);

    public static Digest Root(ReadOnlySpan<Digest> leaves)
    {
        if (leaves.Length == 1)
        {
            return leaves[0];
        }

        int left = LeftOf(leaves.Length);
        return Node(Root(leaves[..left]), Root(leaves[left..]));
    }

    /// <summary>The root that a leaf of a tree of <paramref name="count"/> leaves leads to; false when no such tree has such a path.</summary>
    public static bool TryClimb(Digest leaf, int index, int count, ReadOnlySpan<Digest> path, out Digest root)
    {
        root = leaf;
        if (index < 0 || index >= count || (count == 1) != path.IsEmpty)
        {
            return false;
        }

        if (count == 1)
        {
            return true;
        }

        int left = LeftOf(count);
        bool isLeft = index < left;
        bool climbs = isLeft
            ? TryClimb(leaf, index, left, path[..^1], out Digest below)
            : TryClimb(leaf, index - left, count - left, path[..^1], out below);
        root = isLeft ? Node(below, path[^1]) : Node(path[^1], below);
        return climbs;
    }

    /// <summary>The largest power of two below the count.</summary>
    private static int LeftOf(int count) => 1 << BitOperations.Log2((uint)(count - 1));

    private static Digest Node(Digest left, Digest right)
    {
        Span<byte> both = stackalloc byte[64];
        left.CopyTo(both);
        right.CopyTo(both[32..]);
        return Sha256.Hash([1], both);
    }
}
