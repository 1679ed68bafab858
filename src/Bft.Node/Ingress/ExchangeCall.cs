using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Reads what one peer tells: acks (W7), tips (W8), evidence (W10).</summary>
internal sealed class ExchangeCall(Committee committee, BatchStore store, CoreMailbox core, ByteBudget budget, EvidenceBook evidence, Action heard)
{
    private const int AckBytes = 4; // in memory, for each byte on the wire

    private readonly AckVerifier _acks = new(committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax);
    private readonly EvidenceVerifier _evidence = new(committee, Ed25519.Instance);

    /// <exception cref="RpcException">The peer sent what no correct witness sends.</exception>
    public async Task ReadAllAsync(IAsyncStreamReader<IExchangeRequest> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            heard();
            RejectReason reason = RejectReason.None;
            CoreInput? input = requests.Current switch
            {
                AcksFrame acks => OnAcks(acks, out reason),
                TipFrame tip => OnTip(tip, out reason),
                EvidenceFrame proof => OnEvidence(proof, out reason),
                MalformedFrame malformed => Refuse(malformed.Reason, out reason),
                _ => null,
            };
            if (reason != RejectReason.None)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, $"A message does not hold: {reason}."));
            }

            if (input is not null)
            {
                await budget.TakeAsync(input.Bytes, cancellationToken);
                core.Post(input);
            }
        }
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

        return _acks.TryVerify(bundle, out VerifiedAck[]? acks, out reason)
            ? new AcksInput(acks) { Budget = budget, Bytes = AckBytes * frame.Bundle.Length }
            : null;
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
            ? new CertificateInput(verified, []) { Budget = budget, Bytes = AckBytes * frame.Certificate.Length }
            : null;
    }

    private EvidenceInput? OnEvidence(EvidenceFrame frame, out RejectReason reason) =>
        _evidence.TryVerify(frame.Proof.Span, out VerifiedEvidence? verified, out reason)
            ? new EvidenceInput(verified, evidence) { Budget = budget, Bytes = frame.Proof.Length }
            : null;
}
