using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a peer tells: acks (W7), tips (W8), evidence (W10). One per call: it remembers the roots that it verified.</summary>
internal sealed class ExchangeIntake(Committee committee, BatchStore store, ISignatureScheme scheme)
{
    private const int AckBytes = 4; // in memory, for each byte on the wire

    private readonly AckVerifier _acks = new(committee, scheme, NodeLimits.Default.RememberedRootsMax);
    private readonly EvidenceVerifier _evidence = new(committee, scheme);

    public Intake Take(IExchangeRequest frame)
    {
        RejectReason reason = RejectReason.None;
        CoreInput? input = frame switch
        {
            AcksFrame acks => OnAcks(acks, out reason),
            TipFrame tip => OnTip(tip, out reason),
            EvidenceFrame proof => OnEvidence(proof, out reason),
            MalformedFrame malformed => Refuse(malformed.Reason, out reason),
            _ => null,
        };
        return reason != RejectReason.None ? Intake.Faulty($"A message does not hold: {reason}.")
            : input is not null ? Intake.Of(input)
            : default;
    }

    private static CoreInput? Refuse(RejectReason given, out RejectReason reason)
    {
        reason = given;
        return null;
    }

    private AcksInput? OnAcks(AcksFrame frame, out RejectReason reason)
    {
        reason = RejectReason.Malformed;
        if (!AckBundle.TryParse(committee.Cluster, frame.Bundle.Span, out AckBundle? bundle))
        {
            return null;
        }

        // Acks of slots that are certified already change nothing: the slower half of a committee costs no signature.
        if (bundle.Leaves.All(leaf => store.IsCertified(leaf.Statement.Batch)))
        {
            reason = RejectReason.None;
            return null;
        }

        return _acks.TryVerify(bundle, out VerifiedAck[]? acks, out reason) ? new AcksInput(acks) { Bytes = AckBytes * frame.Bundle.Length } : null;
    }

    private CertificateInput? OnTip(TipFrame frame, out RejectReason reason)
    {
        reason = RejectReason.Malformed;
        if (!QuorumCertificate.TryParse(frame.Certificate.Span, out QuorumCertificate? certificate))
        {
            return null;
        }

        if (store.IsStored(certificate.Batch.Slot))
        {
            reason = RejectReason.None;
            return null;
        }

        return _acks.TryVerify(certificate, out VerifiedCertificate? verified, out reason)
            ? new CertificateInput(verified, []) { Bytes = AckBytes * frame.Certificate.Length }
            : null;
    }

    private EvidenceInput? OnEvidence(EvidenceFrame frame, out RejectReason reason) =>
        _evidence.TryVerify(frame.Proof.Span, out VerifiedEvidence? verified, out reason) ? new EvidenceInput(verified) { Bytes = frame.Proof.Length } : null;
}
