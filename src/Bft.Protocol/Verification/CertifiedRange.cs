using System.Diagnostics.CodeAnalysis;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Statements of consecutive slots that end at a certificate's batch, all of them covered by it (S1).</summary>
public sealed class CertifiedRange
{
    private CertifiedRange(VerifiedCertificate certificate, VerifiedStatement[] statements)
    {
        Certificate = certificate;
        Statements = statements;
    }

    public VerifiedCertificate Certificate { get; }

    /// <summary>At least one; in the order of their slots, the certificate's own last.</summary>
    public IReadOnlyList<VerifiedStatement> Statements { get; }

    public StreamHeader Header => Statements[0].Statement.Header;

    public Sequence First => Statements[0].Sequence;

    public Sequence Last => Statements[^1].Sequence;

    /// <summary>Takes statements that a certificate covers: backwards over <i>previous</i>, without signatures (S1).</summary>
    /// <param name="verifier">Of this cluster.</param>
    /// <param name="certificate">Verified.</param>
    /// <param name="statements">In the order of their slots; the last is the certificate's own.</param>
    /// <param name="range">The statements, when all of them are what the certificate covers.</param>
    /// <param name="reason">Why they are not.</param>
    public static bool TryVerify(
        BatchVerifier verifier, VerifiedCertificate certificate, IReadOnlyList<SignedStatement> statements, [NotNullWhen(true)] out CertifiedRange? range, out RejectReason reason)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(statements);
        range = null;
        reason = RejectReason.OtherSlot;
        if (statements.Count == 0 || (ulong)statements.Count > certificate.Batch.Sequence.Value - certificate.Base.Value + 1)
        {
            return false;
        }

        VerifiedStatement[] verified = new VerifiedStatement[statements.Count];
        BatchRef expected = certificate.Batch;
        for (int i = statements.Count - 1; i >= 0; i--)
        {
            if (!verifier.TryVerifyCovered(statements[i].Bytes.Span, statements[i].Signature, expected.Digest, out VerifiedStatement? statement, out reason))
            {
                return false;
            }

            if (statement.Reference != expected || (i > 0 && statement.Statement.Ancestor.Kind != AncestorKind.Previous))
            {
                reason = RejectReason.OtherSlot;
                return false;
            }

            verified[i] = statement;
            expected = i > 0 ? new BatchRef(expected.Stream, expected.Sequence.Preceding, statement.Statement.Ancestor.Digest) : expected;
        }

        range = new CertifiedRange(certificate, verified);
        return true;
    }

    public VerifiedStatement? Find(Sequence sequence) => sequence < First || sequence > Last ? null : Statements[(int)(sequence.Value - First.Value)];

    /// <summary>The statements above a slot, the certificate's own first: they lead from the certificate down to the slot.</summary>
    public IReadOnlyList<VerifiedStatement> ChainDownTo(Sequence slot) => [.. Statements.Where(statement => statement.Sequence > slot).Reverse()];
}
