using System.Buffers;
using Bft.Crypto;

namespace Bft.Protocol.Bodies;

/// <summary>The Merkle tree (RFC 6962) over a body's chunks as stored: the table is leaf 0, entry i is leaf i + 1.</summary>
public static class BodyRoot
{
    public static Digest Of(ReadOnlySpan<byte> body, ChunkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);

        // Many small chunks would have more hashes than bytes.
        Digest[] rented = ArrayPool<Digest>.Shared.Rent(table.Entries.Count + 1);
        Span<Digest> leaves = rented.AsSpan(0, table.Entries.Count + 1);
        Hash(body, table, leaves);
        Digest root = Merkle.Root(leaves);
        ArrayPool<Digest>.Shared.Return(rented);
        return root;
    }

    /// <summary>The whole tree, for the paths that receipts need.</summary>
    public static MerkleTree TreeOf(ReadOnlySpan<byte> body, ChunkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Digest[] leaves = new Digest[table.Entries.Count + 1];
        Hash(body, table, leaves);
        return new MerkleTree(leaves);
    }

    private static void Hash(ReadOnlySpan<byte> body, ChunkTable table, Span<Digest> leaves)
    {
        leaves[0] = Merkle.LeafHash(body[..table.Length]);
        for (int i = 0; i < table.Entries.Count; i++)
        {
            ChunkEntry entry = table.Entries[i];
            leaves[i + 1] = Merkle.LeafHash(body.Slice(entry.Offset, entry.Length));
        }
    }
}
