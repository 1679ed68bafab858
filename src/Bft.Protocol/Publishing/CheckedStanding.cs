using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>A witness's answer to an inquiry, with what it proves (P7). What does not verify is left out.</summary>
/// <param name="Originals">Signed by the publisher who asked, in the topic asked about.</param>
/// <param name="Certificates">Of streams that <paramref name="Originals"/> name; a certificate alone does not say which incarnation's it is.</param>
public sealed record CheckedStanding(IReadOnlyList<VerifiedStatement> Originals, IReadOnlyList<VerifiedCertificate> Certificates)
{
    /// <summary>Checks signatures: hosts do it outside the core.</summary>
    /// <param name="publisher">Who asked.</param>
    /// <param name="topic">About which topic.</param>
    /// <param name="originals">As they came.</param>
    /// <param name="certificates">As they came.</param>
    /// <param name="batches">Of the cluster.</param>
    /// <param name="acks">Of the committee.</param>
    public static CheckedStanding Check(
        PublicKey publisher, Topic topic, IEnumerable<SignedStatement> originals, IEnumerable<QuorumCertificate> certificates, BatchVerifier batches, AckVerifier acks)
    {
        ArgumentNullException.ThrowIfNull(originals);
        ArgumentNullException.ThrowIfNull(certificates);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentNullException.ThrowIfNull(acks);
        List<VerifiedStatement> signed = [];
        foreach (SignedStatement original in originals)
        {
            if (batches.TryVerifyStatement(original.Bytes.Span, original.Signature, out VerifiedStatement? verified, out _)
                && verified.Statement.Header.Publisher == publisher
                && verified.Statement.Header.Topic == topic)
            {
                signed.Add(verified);
            }
        }

        HashSet<StreamId> named = [.. signed.Select(statement => statement.Reference.Stream)];
        List<VerifiedCertificate> certified = [];
        foreach (QuorumCertificate certificate in certificates.Where(certificate => named.Contains(certificate.Batch.Stream)))
        {
            if (acks.TryVerify(certificate, out VerifiedCertificate? verified, out _))
            {
                certified.Add(verified);
            }
        }

        return new CheckedStanding(signed, certified);
    }
}
