using System.Diagnostics.CodeAnalysis;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>S1: the certificate first, then the statements from the last one backwards over <i>previous</i>.</summary>
/// <remarks>Originals are kept as evidence, so each signature is checked too, though the certificate already stands for it. One per call: not thread-safe.</remarks>
internal sealed class RangeVerifier(AckVerifier acks, BatchVerifier batches)
{
    public bool TryVerify(CertifiedFrame frame, [NotNullWhen(true)] out VerifiedCertificate? certificate, out VerifiedStatement[] statements, out RejectReason reason)
    {
        statements = new VerifiedStatement[frame.Statements.Count];
        if (!acks.TryVerifyCertificate(frame.Certificate.Span, out certificate, out reason))
        {
            return false;
        }

        VerifiedStatement? above = null;
        for (int i = statements.Length - 1; i >= 0; i--)
        {
            SignedStatement signed = frame.Statements[i];
            if (!batches.TryVerifyStatement(signed.Bytes.Span, signed.Signature, out VerifiedStatement? statement, out reason))
            {
                return false;
            }

            if (!Follows(statement, above, certificate))
            {
                reason = RejectReason.OtherDigest;
                return false;
            }

            statements[i] = above = statement;
        }

        return true;
    }

    private static bool Follows(VerifiedStatement statement, VerifiedStatement? above, VerifiedCertificate certificate) => above is null
        ? statement.Reference == certificate.Batch
        : above.Statement.Ancestor is { Kind: AncestorKind.Previous } ancestor
            && statement.Digest == ancestor.Digest
            && statement.Reference.Stream == certificate.Batch.Stream
            && statement.Sequence >= certificate.Base;
}
