using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Turns signed batches into verified ones. Cheap checks come before signatures, signatures before bodies. Stateless: any thread may use it.</summary>
public sealed class BatchVerifier(ClusterId cluster, ClusterLimits limits, ISignatureScheme scheme)
{
    /// <summary>Verifies the statement and the publisher's signature; not whether that publisher may publish there.</summary>
    public bool TryVerifyStatement(ReadOnlySpan<byte> bytes, Signature signature, [NotNullWhen(true)] out VerifiedStatement? verified, out RejectReason reason)
    {
        verified = null;
        if (!TryParse(bytes, out BatchStatement? statement, out reason))
        {
            return false;
        }

        if (!scheme.Verify(statement.Header.Publisher, bytes, signature))
        {
            reason = RejectReason.BadSignature;
            return false;
        }

        verified = new VerifiedStatement(statement, signature, isSigned: true);
        return true;
    }

    /// <summary>S1: takes a statement whose digest a verified certificate covers; no signature is checked.</summary>
    public bool TryVerifyCovered(ReadOnlySpan<byte> bytes, Signature signature, Digest covered, [NotNullWhen(true)] out VerifiedStatement? verified, out RejectReason reason)
    {
        verified = null;
        if (Sha256.Hash(bytes) != covered)
        {
            reason = RejectReason.OtherDigest;
            return false;
        }

        if (!TryParse(bytes, out BatchStatement? statement, out reason))
        {
            return false;
        }

        verified = new VerifiedStatement(statement, signature, isSigned: false);
        return true;
    }

    /// <summary>Verifies that a body is the one that a verified statement names, and that its table is whole.</summary>
    public bool TryVerifyBody(VerifiedStatement statement, ReadOnlyMemory<byte> body, IDisposable? bodyOwner, [NotNullWhen(true)] out VerifiedBatch? verified, out RejectReason reason)
    {
        ArgumentNullException.ThrowIfNull(statement);
        reason = BodyCheck.WhyRejected(statement.Statement.Body, body.Span, limits);
        verified = reason == RejectReason.None ? new VerifiedBatch(statement, body, bodyOwner) : null;
        return verified is not null;
    }

    /// <summary>Statement, signature and body.</summary>
    public bool TryVerify(SignedBatch batch, [NotNullWhen(true)] out VerifiedBatch? verified, out RejectReason reason)
    {
        ArgumentNullException.ThrowIfNull(batch);
        verified = null;
        return TryVerifyStatement(batch.Statement.Span, batch.Signature, out VerifiedStatement? statement, out reason)
            && TryVerifyBody(statement, batch.Body, batch.BodyOwner, out verified, out reason);
    }

    /// <summary>Signs a batch of our own (P1); the caller sees to it that there is one for the slot (P2).</summary>
    public static VerifiedBatch Sign(BatchStatement statement, ISigner signer, ReadOnlyMemory<byte> body, IDisposable? bodyOwner)
    {
        ArgumentNullException.ThrowIfNull(statement);
        ArgumentNullException.ThrowIfNull(signer);
        Signature signature = signer.Sign(statement.Bytes.Span);
        return new VerifiedBatch(new VerifiedStatement(statement, signature, isSigned: true), body, bodyOwner);
    }

    private bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out BatchStatement? statement, out RejectReason reason)
    {
        if (!BatchStatement.TryParse(cluster, bytes, out statement, out reason))
        {
            return false;
        }

        BodyDescription body = statement.Body;
        if (body.Length > limits.BatchBytesMax || body.MessageCount > limits.MessageCountMax || body.ChunkCount > body.MessageCount + 1)
        {
            reason = RejectReason.OverLimit;
            statement = null;
            return false;
        }

        return true;
    }
}
