using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>What a witness signs: one Merkle root for all acks of a group commit.</summary>
/// <param name="Cluster">Which cluster.</param>
/// <param name="Epoch">Which committee.</param>
/// <param name="Witness">Who signs.</param>
/// <param name="Run">Which run of that witness.</param>
/// <param name="Mark">A group commit at or after the one that made the acks durable.</param>
/// <param name="LeafCount">Leaves under the root; 1 to <see cref="FormatLimits.AckLeavesMax"/>.</param>
/// <param name="Root">RFC 6962 root over the leaves.</param>
public readonly record struct AckRootStatement(ClusterId Cluster, Epoch Epoch, WitnessIndex Witness, Run Run, Mark Mark, int LeafCount, Digest Root)
{
    /// <summary>Length of the bytes signed.</summary>
    public const int Length = StatementTag.Length + Digest.Length + 4 + 1 + 8 + 8 + 4 + Digest.Length;

    public override int GetHashCode() => Root.GetHashCode();

    public Signature Sign(ISigner signer)
    {
        ArgumentNullException.ThrowIfNull(signer);
        Span<byte> bytes = stackalloc byte[Length];
        WriteTo(bytes);
        return signer.Sign(bytes);
    }

    internal bool IsSignedBy(PublicKey key, Signature signature, ISignatureScheme scheme)
    {
        Span<byte> bytes = stackalloc byte[Length];
        WriteTo(bytes);
        return scheme.Verify(key, bytes, signature);
    }

    internal void WriteTo(Span<byte> bytes)
    {
        StatementWriter writer = new(bytes);
        writer.Tag(StatementTag.AckRoot);
        writer.Digest(Cluster.Digest);
#if PLANTED
        writer.U32(Planted.Is("epoch-unsigned") ? 0 : Epoch.Value);
#else
        writer.U32(Epoch.Value);
#endif
        writer.U8(Witness.Value);
        writer.U64(Run.Value);
        writer.U64(Mark.Value);
        writer.U32((uint)LeafCount);
        writer.Digest(Root);
    }
}
