using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Turns bundles and certificates into verified acks and certificates (C1). Remembers the roots it verified.</summary>
/// <remarks>Not thread-safe: each reader of a connection has one of its own.</remarks>
public sealed class AckVerifier
{
    private readonly Committee _committee;
    private readonly ISignatureScheme _scheme;
    private readonly RememberedRoots _remembered;

    public AckVerifier(Committee committee, ISignatureScheme scheme, int rememberedRootsMax)
    {
        _committee = committee;
        _scheme = scheme;
        _remembered = new RememberedRoots(rememberedRootsMax);
    }

    /// <summary>All acks of a bundle, or none: one bad path means that the sender is faulty.</summary>
    public bool TryVerify(AckBundle bundle, [NotNullWhen(true)] out VerifiedAck[]? acks, out RejectReason reason)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        acks = null;
        reason = WhyNotMember(bundle.Root.Cluster, bundle.Root.Epoch, bundle.Root.Witness);
        if (reason != RejectReason.None)
        {
            return false;
        }

        foreach (AckLeaf leaf in bundle.Leaves)
        {
            if (!leaf.Statement.HasLegalBase(_committee.Limits.WindowSlots))
            {
                reason = RejectReason.BadBase;
                return false;
            }

            if (!TryRootOf(leaf, bundle.Root.LeafCount, out Digest root) || root != bundle.Root.Root)
            {
                reason = RejectReason.BadPath;
                return false;
            }
        }

        if (!TryVerifyRoot(bundle.Root, bundle.Signature, out VerifiedAckRoot? verifiedRoot))
        {
            reason = RejectReason.BadSignature;
            return false;
        }

        acks = [.. bundle.Leaves.Select(leaf => new VerifiedAck(verifiedRoot, leaf))];
        return true;
    }

    /// <summary>C1: a certificate is judged alone, never against anything that its reader collected.</summary>
    public bool TryVerify(QuorumCertificate certificate, [NotNullWhen(true)] out VerifiedCertificate? verified, out RejectReason reason)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        verified = null;
        reason = WhyRejected(certificate);
        if (reason == RejectReason.None)
        {
            verified = new VerifiedCertificate(certificate);
        }

        return verified is not null;
    }

    /// <summary>Parses and verifies the bytes of a certificate.</summary>
    public bool TryVerifyCertificate(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out VerifiedCertificate? verified, out RejectReason reason)
    {
        verified = null;
        reason = RejectReason.Malformed;
        return QuorumCertificate.TryParse(bytes, out QuorumCertificate? certificate) && TryVerify(certificate, out verified, out reason);
    }

    private RejectReason WhyRejected(QuorumCertificate certificate)
    {
        if (certificate.Entries.Count < _committee.Size.Quorum)
        {
            return RejectReason.UnderQuorum;
        }

        WitnessSet seen = WitnessSet.Empty;
        foreach (CertificateEntry entry in certificate.Entries)
        {
            RejectReason reason = WhyNotMember(_committee.Cluster, certificate.Epoch, entry.Witness);
            if (reason != RejectReason.None)
            {
                return reason;
            }

            if (seen.Contains(entry.Witness))
            {
                return RejectReason.DuplicateWitness;
            }

            seen = seen.With(entry.Witness);
#if PLANTED
            seen = Planted.Is("signer-uniqueness") ? WitnessSet.Empty : seen;
#endif
            AckLeaf leaf = entry.ToLeaf(certificate.Batch);
            if (!leaf.Statement.HasLegalBase(_committee.Limits.WindowSlots))
            {
                return RejectReason.BadBase;
            }

            if (!TryRootOf(leaf, entry.LeafCount, out Digest root))
            {
                return RejectReason.BadPath;
            }

            AckRootStatement statement = new(_committee.Cluster, certificate.Epoch, entry.Witness, entry.Run, entry.Mark, entry.LeafCount, root);
            if (!TryVerifyRoot(statement, entry.Signature, out _))
            {
                return RejectReason.BadSignature;
            }
        }

        return RejectReason.None;
    }

    private RejectReason WhyNotMember(ClusterId cluster, Epoch epoch, WitnessIndex witness) =>
        cluster != _committee.Cluster ? RejectReason.OtherCluster
#if PLANTED
        : Planted.Is("epoch-unsigned") && _committee.TryMember(witness.Value, out _) ? RejectReason.None
#endif
        : epoch != _committee.Epoch ? RejectReason.OtherEpoch
        : !_committee.TryMember(witness.Value, out _) ? RejectReason.UnknownWitness
        : RejectReason.None;

    private bool TryRootOf(AckLeaf leaf, int leafCount, out Digest root) =>
        Merkle.TryRootFromPath(leaf.Statement.LeafHash(_committee.Cluster, _committee.Epoch), (uint)leaf.LeafIndex, (uint)leafCount, leaf.PathArray, out root);

    private bool TryVerifyRoot(in AckRootStatement statement, Signature signature, [NotNullWhen(true)] out VerifiedAckRoot? root)
    {
        root = _remembered.Find(statement, signature);
        if (root is null && statement.IsSignedBy(_committee.KeyOf(statement.Witness), signature, _scheme))
        {
            root = new VerifiedAckRoot(statement, signature);
            _remembered.Add(root);
        }

        return root is not null;
    }
}
