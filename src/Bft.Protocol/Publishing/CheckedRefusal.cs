using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Publishing;

/// <summary>A refusal with what it proves (P6). What does not verify is left out: a refusal that proves nothing is not believed.</summary>
/// <param name="Refusal">As it came.</param>
/// <param name="Original">A statement with its publisher's signature; null when none was shown or it does not verify.</param>
/// <param name="Certificate">A certificate; null when none was shown or it does not verify.</param>
/// <param name="Live">W11: originals of live incarnations.</param>
public sealed record CheckedRefusal(Refusal Refusal, VerifiedStatement? Original, VerifiedCertificate? Certificate, IReadOnlyList<VerifiedStatement> Live)
{
    /// <summary>Checks signatures: hosts do it outside the core.</summary>
    public static CheckedRefusal Check(Refusal refusal, BatchVerifier batches, AckVerifier acks)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentNullException.ThrowIfNull(acks);
        VerifiedStatement? original = null;
        VerifiedCertificate? certificate = null;
        if (refusal.Original is { } signed)
        {
            batches.TryVerifyStatement(signed.Bytes.Span, signed.Signature, out original, out _);
        }

        if (refusal.Certificate is { } shown)
        {
            acks.TryVerify(shown, out certificate, out _);
        }

        List<VerifiedStatement> live = [];
        foreach (SignedStatement one in refusal.Live)
        {
            if (batches.TryVerifyStatement(one.Bytes.Span, one.Signature, out VerifiedStatement? verified, out _))
            {
                live.Add(verified);
            }
        }

        return new CheckedRefusal(refusal, original, certificate, live);
    }
}
