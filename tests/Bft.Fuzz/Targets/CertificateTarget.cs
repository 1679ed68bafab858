using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Protocol;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Targets;

/// <summary>Certificates (C1).</summary>
internal sealed class CertificateTarget() : Target<QuorumCertificate?>("certificate")
{
    private const int FirstLeafIndexAt = 78 + 9;
    private readonly AckVerifier _verifier = new(World.Committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax);

    public override IEnumerable<Seed> Seeds() =>
        World.Certificates.SelectMany((certificate, index) => Edges.Of($"certificate{index}", certificate.Certificate.Bytes.ToArray(), index == 1 ? [FirstLeafIndexAt, FirstLeafIndexAt + 4] : []));

    protected override QuorumCertificate? Decode(byte[] input) => QuorumCertificate.TryParse(input, out QuorumCertificate? certificate) ? certificate : null;

    protected override Outcome Judge(byte[] input, QuorumCertificate? decoded)
    {
        if (decoded is not { } certificate)
        {
            return Outcome.Rejected();
        }

        OracleException.RequireSame(input, new QuorumCertificate(certificate.Batch, certificate.Epoch, certificate.Entries).Bytes.Span, "A certificate");
        if (!_verifier.TryVerify(certificate, out VerifiedCertificate? verified, out RejectReason reason))
        {
            return Outcome.Accepted.With((ulong)reason).Sized(certificate.Entries.Count);
        }

        OracleException.Require(verified.WitnessCount >= World.Cluster.Size.Quorum, "A certificate verified below the quorum.");
        OracleException.Require(
            certificate.Entries.All(entry => World.IsAcked(entry.Witness.Value, new AckStatement(certificate.Batch, entry.Base))), "A certificate verified with an ack that no witness signed.");
        return Outcome.Accepted.With("verified").Sized(verified.WitnessCount);
    }
}
