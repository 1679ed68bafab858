using Bft.Crypto;
using Bft.Protocol.Verification;

namespace Bft.Sim;

/// <summary>Signs whatever a Byzantine witness wants to claim, with its own key.</summary>
internal sealed class AckForge(ISigner signer)
{
    /// <summary>Claims under one root of its own.</summary>
    /// <param name="root">Whose, which run and mark; its leaf count and root are replaced.</param>
    /// <param name="claims">At least one.</param>
    public AckBundle Sign(AckRootStatement root, params AckStatement[] claims)
    {
        MerkleTree tree = new([.. claims.Select(claim => claim.LeafHash(root.Cluster, root.Epoch))]);
        AckRootStatement own = root with { LeafCount = claims.Length, Root = tree.Root };
        return new AckBundle(own, own.Sign(signer), [.. claims.Select((claim, i) => new AckLeaf(claim, i, tree.PathOf(i)))]);
    }

    /// <summary>One of a bundle's acks as it stands in a certificate.</summary>
    public static CertificateEntry EntryOf(AckBundle bundle, AckLeaf leaf) => new(
        bundle.Root.Witness, leaf.Statement.Base, leaf.LeafIndex, leaf.Path, bundle.Root.Run, bundle.Root.Mark, bundle.Root.LeafCount, bundle.Signature);
}
