using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Rebuilds verified types from records of our own journal (W9), which were verified before they were written and whose checksums hold.</summary>
/// <remarks>For Bft.Storage alone, and never for bytes that came from anybody else. Null means that the record is not what this version writes.</remarks>
internal static class Restored
{
    public static VerifiedStatement? Statement(ClusterId cluster, ReadOnlySpan<byte> bytes, Signature signature, bool isSigned) =>
        BatchStatement.TryParse(cluster, bytes, out BatchStatement? statement, out _) ? new VerifiedStatement(statement, signature, isSigned) : null;

    public static VerifiedCertificate? Certificate(ReadOnlySpan<byte> bytes) =>
        QuorumCertificate.TryParse(bytes, out QuorumCertificate? certificate) ? new VerifiedCertificate(certificate) : null;
}
