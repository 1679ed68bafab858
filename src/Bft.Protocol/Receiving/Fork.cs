using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Receiving;

/// <summary>A certificate, and the statements that lead from it down to a slot: what its witnesses claim there.</summary>
/// <param name="Certificate">Verified.</param>
/// <param name="Chain">The certificate's own batch first; the last one names the batch in the slot as its <i>previous</i>. Empty when the slot is the certificate's own.</param>
public sealed record CertifiedClaim(VerifiedCertificate Certificate, IReadOnlyList<VerifiedStatement> Chain)
{
    internal static CertifiedClaim Of(CertifiedRange range, Sequence slot) => new(range.Certificate, range.ChainDownTo(slot));
}

/// <summary>Two batches are certified where one can be: more than f witnesses are faulty. The receiver stops (R1, R4).</summary>
/// <param name="Slot">A slot that both claim, for different batches.</param>
/// <param name="First">What was known before; null when it was delivered before this run.</param>
/// <param name="Second">What contradicts it.</param>
public sealed record Fork(Slot Slot, CertifiedClaim? First, CertifiedClaim Second)
{
    /// <summary>C2: evidence against each witness that stands in both certificates and whose acks reach down to the slot.</summary>
    public IReadOnlyList<Evidence> ToEvidence(Committee committee)
    {
        ArgumentNullException.ThrowIfNull(committee);
        if (First is null)
        {
            return [];
        }

        List<Evidence> evidence = [];
        foreach (CertificateEntry entry in First.Certificate.Certificate.Entries)
        {
            CertificateEntry? other = Second.Certificate.Certificate.Entries.FirstOrDefault(other => other.Witness == entry.Witness);
            if (other is not null && entry.Base <= Slot.Sequence && other.Base <= Slot.Sequence)
            {
                evidence.Add(new WitnessEquivocation(SideOf(committee, First, entry), SideOf(committee, Second, other)));
            }
        }

        return evidence;
    }

    private static AckWithChain SideOf(Committee committee, CertifiedClaim claim, CertificateEntry entry)
    {
        AckLeaf leaf = new(new AckStatement(claim.Certificate.Batch, entry.Base), entry.LeafIndex, entry.Path);
        Digest leafHash = leaf.Statement.LeafHash(committee.Cluster, committee.Epoch);

        // The certificate is verified, so its paths lead somewhere.
        Merkle.TryRootFromPath(leafHash, (uint)entry.LeafIndex, (uint)entry.LeafCount, [.. entry.Path], out Digest root);
        AckRootStatement statement = new(committee.Cluster, committee.Epoch, entry.Witness, entry.Run, entry.Mark, entry.LeafCount, root);
        return new AckWithChain(new AckBundle(statement, entry.Signature, [leaf]), [.. claim.Chain.Select(link => link.Statement.Bytes)]);
    }
}
