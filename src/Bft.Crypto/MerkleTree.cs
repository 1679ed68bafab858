namespace Bft.Crypto;

/// <summary>A Merkle tree that is kept, to hand out inclusion paths. Hashing as in <see cref="Merkle"/>; immutable.</summary>
public sealed class MerkleTree
{
    // Level 0 holds the leaf hashes, the last level the root alone.
    private readonly Digest[][] _levels;

    /// <summary>Builds the tree over a copy of the leaf hashes; there may be none.</summary>
    public MerkleTree(ReadOnlySpan<Digest> leaves)
    {
        List<Digest[]> levels = [leaves.ToArray()];
        while (levels[^1].Length > 1)
        {
            levels.Add(Parents(levels[^1]));
        }

        _levels = [.. levels];
    }

    /// <summary>Number of leaves.</summary>
    public int Count => _levels[0].Length;

    public Digest Root => Count == 0 ? Merkle.Root([]) : _levels[^1][0];

    /// <summary>The inclusion path of a leaf: siblings, from the leaf's up. Empty in a tree of one leaf.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf.</exception>
    public Digest[] PathOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);

        List<Digest> path = new(_levels.Length - 1);
        foreach (Digest[] level in _levels)
        {
            int sibling = index ^ 1;
            if (sibling < level.Length)
            {
                path.Add(level[sibling]);
            }

            index >>= 1;
        }

        return [.. path];
    }

    private static Digest[] Parents(Digest[] level)
    {
        Digest[] parents = new Digest[(level.Length + 1) / 2];
        for (int i = 0; i < level.Length / 2; i++)
        {
            parents[i] = Merkle.NodeHash(level[2 * i], level[(2 * i) + 1]);
        }

        if (level.Length % 2 == 1)
        {
            // RFC 6962 splits at the largest power of two below the count: an odd last node rises as it is.
            parents[^1] = level[^1];
        }

        return parents;
    }
}
