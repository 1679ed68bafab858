using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Bft.Wire.Services;

namespace Bft.Node;

/// <summary>What a peer tells: acks (W7), tips (W8), evidence (W10), what it holds of mine (W9). One per call: it remembers the roots that it verified.</summary>
/// <param name="committee">Of this cluster.</param>
/// <param name="self">This witness.</param>
/// <param name="peer">The one that tells.</param>
/// <param name="store">Says what is known already.</param>
/// <param name="signatures">Checks them, and counts them for what this peer may cost.</param>
internal sealed class ExchangeIntake(Committee committee, WitnessIndex self, WitnessIndex peer, BatchStore store, CountedSignatures signatures)
{
    private const int AckBytes = 4; // in memory, for each byte on the wire

    private readonly AckVerifier _acks = new(committee, signatures, NodeLimits.Default.RememberedRootsMax);
    private readonly EvidenceVerifier _evidence = new(committee, signatures);
    private readonly RangeVerifier _ranges = new(
        new AckVerifier(committee, signatures, NodeLimits.Default.RememberedRootsMax), new BatchVerifier(committee.Cluster, committee.Limits, signatures));

    private AckBundle? _late;

    /// <summary>What the frame taken last cost; see <see cref="Allowance"/>.</summary>
    public long Cost { get; private set; }

    public Intake Take(IExchangeRequest frame)
    {
        RejectReason reason = RejectReason.None;
        CoreInput? input = frame switch
        {
            AcksFrame acks => OnAcks(acks, out reason),
            TipFrame tip => OnTip(tip, out reason),
            HeartbeatFrame heartbeat => OnHeartbeat(heartbeat, out reason),
            RecallFrame recall => OnRecall(recall, out reason),
            EvidenceFrame proof => OnEvidence(proof, out reason),
            MalformedFrame malformed => Refuse(malformed.Reason, out reason),
            _ => null,
        };

        // A quorum's signatures over what is not stored here: nobody can make up many of these, and whoever catches up wants them all.
        long verified = signatures.Take();
        Cost = Allowance.CostOf(frame) + (input is CertificateInput ? 0 : verified * Allowance.Signature);
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
        // Not my own: they may show that I forgot (W9).
        if (bundle.Root.Witness != self && bundle.Leaves.All(leaf => store.IsCertified(leaf.Statement.Batch)))
        {
            _late = _late is { } late && late.Root.Mark > bundle.Root.Mark ? late : bundle;
            reason = RejectReason.None;
            return null;
        }

        return _acks.TryVerify(bundle, out VerifiedAck[]? acks, out reason) ? new AcksInput(acks) { Bytes = AckBytes * frame.Bundle.Length } : null;
    }

    private RecallInput? OnRecall(RecallFrame frame, out RejectReason reason)
    {
        reason = RejectReason.None;
        if (frame.Bundle.IsEmpty)
        {
            return new RecallInput(peer, [], frame.Asks, frame.Answers);
        }

        reason = RejectReason.Malformed;
        if (!AckBundle.TryParse(committee.Cluster, frame.Bundle.Span, out AckBundle? bundle))
        {
            return null;
        }

        if (bundle.Root.Witness != self)
        {
            reason = RejectReason.OtherParty;
            return null;
        }

        return _acks.TryVerify(bundle, out VerifiedAck[]? mine, out reason)
            ? new RecallInput(peer, mine, frame.Asks, frame.Answers) { Bytes = AckBytes * frame.Bundle.Length }
            : null;
    }

    /// <summary>W9: the root of what was late is looked at once in a while; else a witness that is always late would leave none.</summary>
    private HeartbeatInput? OnHeartbeat(HeartbeatFrame frame, out RejectReason reason)
    {
        reason = RejectReason.None;
        VerifiedAck[]? late = [];
        if (_late is { } bundle && !_acks.TryVerify(bundle with { Leaves = [bundle.Leaves[0]] }, out late, out reason))
        {
            return null;
        }

        _late = null;
        return new HeartbeatInput(peer, frame.TipsDigest, frame.OffendersDigest, late ?? []);
    }

    private CoreInput? OnTip(TipFrame frame, out RejectReason reason)
    {
        reason = RejectReason.Malformed;
        if (!QuorumCertificate.TryParse(frame.Certificate.Span, out QuorumCertificate? certificate))
        {
            return null;
        }

        if (store.IsStored(certificate.Batch.Slot))
        {
            return StoredForks.Find(store, _ranges, certificate, out reason);
        }

        return _acks.TryVerify(certificate, out VerifiedCertificate? verified, out reason)
            ? new CertificateInput(verified, []) { Bytes = AckBytes * frame.Certificate.Length }
            : null;
    }

    private EvidenceInput? OnEvidence(EvidenceFrame frame, out RejectReason reason) =>
        _evidence.TryVerify(frame.Proof.Span, out VerifiedEvidence? verified, out reason) ? new EvidenceInput(verified) { Bytes = frame.Proof.Length } : null;
}
