using System.Globalization;

namespace Bft.Crypto.Tests;

public sealed class MerkleTests
{
    private const int SizeMax = 70;

    // The leaves and roots that Certificate Transparency's reference implementations are tested with.
    private static readonly string[] ReferenceLeaves =
    [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ];

    private static readonly string[] ReferenceRoots =
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    [Fact]
    public void Roots_of_0_to_8_leaves_are_the_reference_ones()
    {
        Digest[] leaves = [.. ReferenceLeaves.Select(hex => Merkle.LeafHash(Convert.FromHexString(hex)))];

        for (int count = 0; count <= leaves.Length; count++)
        {
            Assert.Equal(ReferenceRoots[count], Merkle.Root(leaves.AsSpan(0, count)).ToString());
            Assert.Equal(ReferenceRoots[count], new MerkleTree(leaves.AsSpan(0, count)).Root.ToString());
        }
    }

    [Fact]
    public void Paths_are_those_of_the_recursive_definition_and_lead_to_the_root()
    {
        for (int count = 1; count <= SizeMax; count++)
        {
            Digest[] leaves = Leaves(count);
            MerkleTree tree = new(leaves);

            Assert.Equal(count, tree.Count);
            Assert.Equal(DefinedRoot(leaves), tree.Root);
            Assert.Equal(DefinedRoot(leaves), Merkle.Root(leaves));
            for (int index = 0; index < count; index++)
            {
                Digest[] path = tree.PathOf(index);

                Assert.Equal(DefinedPath(leaves, index), path);
                Assert.True(Merkle.TryRootFromPath(leaves[index], (uint)index, (uint)count, path, out Digest root));
                Assert.Equal(tree.Root, root);
            }
        }
    }

    [Fact]
    public void Any_single_bit_changed_in_leaf_path_or_index_is_refused()
    {
        for (int count = 1; count <= SizeMax; count++)
        {
            Digest[] leaves = Leaves(count);
            MerkleTree tree = new(leaves);
            for (int index = 0; index < count; index++)
            {
                Digest[] path = tree.PathOf(index);

                for (int bit = 0; bit < 8 * Digest.Length; bit++)
                {
                    Assert.False(Leads(Flip(leaves[index], bit), (uint)index, (uint)count, path, tree.Root));
                    int place = bit % Math.Max(1, path.Length);
                    if (path.Length > 0)
                    {
                        Digest kept = path[place];
                        path[place] = Flip(kept, bit);
                        Assert.False(Leads(leaves[index], (uint)index, (uint)count, path, tree.Root));
                        path[place] = kept;
                    }
                }

                for (int bit = 0; bit < 32; bit++)
                {
                    Assert.False(Leads(leaves[index], (uint)index ^ (1u << bit), (uint)count, path, tree.Root));
                }
            }
        }
    }

    [Fact]
    public void Every_bit_of_every_path_digest_counts()
    {
        Digest[] leaves = Leaves(13);
        MerkleTree tree = new(leaves);
        for (int index = 0; index < leaves.Length; index++)
        {
            Digest[] path = tree.PathOf(index);
            for (int place = 0; place < path.Length; place++)
            {
                Digest kept = path[place];
                for (int bit = 0; bit < 8 * Digest.Length; bit++)
                {
                    path[place] = Flip(kept, bit);
                    Assert.False(Leads(leaves[index], (uint)index, 13, path, tree.Root));
                }

                path[place] = kept;
            }
        }
    }

    [Fact]
    public void A_path_of_another_length_is_refused()
    {
        for (int count = 1; count <= SizeMax; count++)
        {
            Digest[] leaves = Leaves(count);
            MerkleTree tree = new(leaves);
            for (int index = 0; index < count; index++)
            {
                Digest[] path = tree.PathOf(index);

                Assert.False(Merkle.TryRootFromPath(leaves[index], (uint)index, (uint)count, [.. path, tree.Root], out _));
                if (path.Length > 0)
                {
                    Assert.False(Merkle.TryRootFromPath(leaves[index], (uint)index, (uint)count, path.AsSpan(1), out _));
                    Assert.False(Merkle.TryRootFromPath(leaves[index], (uint)index, (uint)count, path.AsSpan(0, path.Length - 1), out _));
                }
            }
        }
    }

    [Fact]
    public void It_agrees_with_the_loop_of_RFC_9162_on_every_small_index_count_and_length()
    {
        Digest[] path = Leaves(8);
        Digest leaf = path[3];
        for (uint count = 0; count <= 40; count++)
        {
            for (uint index = 0; index <= 40; index++)
            {
                for (int length = 0; length <= path.Length; length++)
                {
                    bool expected = TryByTheBook(leaf, index, count, path.AsSpan(0, length), out Digest expectedRoot);

                    Assert.Equal(expected, Merkle.TryRootFromPath(leaf, index, count, path.AsSpan(0, length), out Digest root));
                    Assert.Equal(expectedRoot, root);
                }
            }
        }
    }

    [Theory]
    [InlineData(0u, 0u)]
    [InlineData(0u, uint.MaxValue)]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(uint.MaxValue - 1, uint.MaxValue)]
    [InlineData(uint.MaxValue, 0u)]
    [InlineData(0x80000000, 0x80000001)]
    [InlineData(0x7fffffff, 0x80000000)]
    public void Extreme_claims_get_the_answer_of_the_book(uint index, uint count)
    {
        Digest[] path = Leaves(40);
        for (int length = 0; length <= path.Length; length++)
        {
            bool expected = TryByTheBook(path[0], index, count, path.AsSpan(0, length), out Digest expectedRoot);

            Assert.Equal(expected, Merkle.TryRootFromPath(path[0], index, count, path.AsSpan(0, length), out Digest root));
            Assert.Equal(expectedRoot, root);
            Assert.True(length <= Merkle.DepthMax || !expected);
        }
    }

    [Fact]
    public void Random_claims_get_the_answer_of_the_book()
    {
        Random random = new(20261121);
        Digest[] path = Leaves(Merkle.DepthMax + 2);
        int accepted = 0;
        for (int i = 0; i < 20_000; i++)
        {
            uint count = (uint)random.NextInt64(1L << 32) >> random.Next(32);
            uint index = random.Next(4) == 0 ? (uint)random.NextInt64(1L << 32) : (uint)random.NextInt64(Math.Max(1L, count));
            ReadOnlySpan<Digest> some = path.AsSpan(0, random.Next(path.Length + 1));

            bool expected = TryByTheBook(path[0], index, count, some, out Digest expectedRoot);

            Assert.Equal(expected, Merkle.TryRootFromPath(path[0], index, count, some, out Digest root));
            Assert.Equal(expectedRoot, root);
            accepted += expected ? 1 : 0;
        }

        Assert.InRange(accepted, 100, 19_900);
    }

    [Fact]
    public void A_root_is_computed_without_allocating()
    {
        Digest[] leaves = Leaves(70);
        Digest[] path = new MerkleTree(leaves).PathOf(33);

        Assert.Equal(0, Allocation.Of(() =>
        {
            Merkle.Root(leaves);
            Merkle.TryRootFromPath(leaves[33], 33, 70, path, out _);
        }));
    }

    [Fact]
    public void A_node_does_not_pass_for_a_leaf()
    {
        Digest[] leaves = Leaves(4);
        byte[] children = new byte[2 * Digest.Length];
        leaves[0].CopyTo(children);
        leaves[1].CopyTo(children.AsSpan(Digest.Length));

        Assert.NotEqual(Merkle.Root(leaves.AsSpan(0, 2)), Merkle.LeafHash(children));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void A_leaf_that_is_not_there_has_no_path(int index) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new MerkleTree(Leaves(3)).PathOf(index));

    private static bool Leads(Digest leaf, uint index, uint count, ReadOnlySpan<Digest> path, Digest expected) =>
        Merkle.TryRootFromPath(leaf, index, count, path, out Digest root) && root == expected;

    private static Digest[] Leaves(int count) =>
        [.. Enumerable.Range(0, count).Select(i => Merkle.LeafHash(System.Text.Encoding.ASCII.GetBytes(i.ToString(CultureInfo.InvariantCulture))))];

    private static Digest Flip(Digest digest, int bit)
    {
        byte[] bytes = new byte[Digest.Length];
        digest.CopyTo(bytes);
        bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        return new Digest(bytes);
    }

    // RFC 6962, section 2.1: split at the largest power of two below the count.
    private static Digest DefinedRoot(ReadOnlySpan<Digest> leaves) => leaves.Length == 1
        ? leaves[0]
        : Node(DefinedRoot(leaves[..Split(leaves.Length)]), DefinedRoot(leaves[Split(leaves.Length)..]));

    // RFC 6962, section 2.1.1.
    private static Digest[] DefinedPath(ReadOnlySpan<Digest> leaves, int index)
    {
        if (leaves.Length == 1)
        {
            return [];
        }

        int split = Split(leaves.Length);
        return index < split
            ? [.. DefinedPath(leaves[..split], index), DefinedRoot(leaves[split..])]
            : [.. DefinedPath(leaves[split..], index - split), DefinedRoot(leaves[..split])];
    }

    private static int Split(int count)
    {
        int split = 1;
        while (2 * split < count)
        {
            split *= 2;
        }

        return split;
    }

    // RFC 9162, section 2.1.3.2, to the letter.
    private static bool TryByTheBook(Digest leaf, uint leafIndex, uint treeSize, ReadOnlySpan<Digest> path, out Digest root)
    {
        root = default;
        if (leafIndex >= treeSize)
        {
            return false;
        }

        uint fn = leafIndex;
        uint sn = treeSize - 1;
        Digest r = leaf;
        foreach (Digest p in path)
        {
            if (sn == 0)
            {
                return false;
            }

            if ((fn & 1) == 1 || fn == sn)
            {
                r = Node(p, r);
                while ((fn & 1) == 0 && fn != 0)
                {
                    fn >>= 1;
                    sn >>= 1;
                }
            }
            else
            {
                r = Node(r, p);
            }

            fn >>= 1;
            sn >>= 1;
        }

        root = sn == 0 ? r : default;
        return sn == 0;
    }

    private static Digest Node(Digest left, Digest right)
    {
        byte[] bytes = new byte[1 + (2 * Digest.Length)];
        bytes[0] = 1;
        left.CopyTo(bytes.AsSpan(1));
        right.CopyTo(bytes.AsSpan(1 + Digest.Length));
        return new Digest(System.Security.Cryptography.SHA256.HashData(bytes));
    }
}
