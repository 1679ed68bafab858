using Bft.Crypto;

namespace Bft.Protocol.Bodies;

/// <summary>The Merkle tree (RFC 6962) over a body's chunks as stored: the table is leaf 0, entry i is leaf i + 1.</summary>
public static class BodyRoot
{
    public static Digest Of(ReadOnlySpan<byte> body, ChunkTable table) => Merkle.Root(Leaves(body, table));

    /// <summary>The whole tree, for the paths that receipts need.</summary>
    public static MerkleTree TreeOf(ReadOnlySpan<byte> body, ChunkTable table) => new(Leaves(body, table));

    private static Digest[] Leaves(ReadOnlySpan<byte> body, ChunkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Digest[] leaves = new Digest[table.Entries.Count + 1];
        leaves[0] = Merkle.LeafHash(body[..table.Length]);
        for (int i = 0; i < table.Entries.Count; i++)
        {
            ChunkEntry entry = table.Entries[i];
            leaves[i + 1] = Merkle.LeafHash(body.Slice(entry.Offset, entry.Length));
        }

        return leaves;
    }
}
