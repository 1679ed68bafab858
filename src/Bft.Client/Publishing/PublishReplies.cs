using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>A witness's reply after verification: what a <see cref="PublisherDriver"/> may believe.</summary>
internal abstract record VerifiedReply;

internal sealed record AcksReply(VerifiedAck[] Acks) : VerifiedReply;

internal sealed record CertificateReply(VerifiedCertificate Certificate) : VerifiedReply;

internal sealed record RefusalReply(CheckedRefusal Refusal) : VerifiedReply;

/// <summary>No correct witness sends that.</summary>
internal sealed record BadReply(string What) : VerifiedReply;

/// <summary>Verifies what one witness replies. One thread at a time, which need not be the driver's.</summary>
internal sealed class PublishReplies(Committee committee, ISignatureScheme scheme, Predicate<Slot> isCovered)
{
    private readonly AckVerifier _acks = new(committee, scheme, NodeLimits.Default.RememberedRootsMax);
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, scheme);
    private QuorumCertificate? _tip;

    /// <summary>The newest tip that the witness showed and nobody took; its signatures were not looked at. On any thread.</summary>
    public QuorumCertificate? TakeTip() => Interlocked.Exchange(ref _tip, null);

    /// <summary>What a reply is for the driver; null when it is nothing, or waits in <see cref="TakeTip"/>.</summary>
    public VerifiedReply? Verify(IPublishReply reply)
    {
        switch (reply)
        {
            case AcksFrame acks when AckBundle.TryParse(committee.Cluster, acks.Bundle.Span, out AckBundle? bundle):
                // Certified without it: the slower half of a committee costs no signature.
                return bundle.Leaves.All(leaf => isCovered(leaf.Statement.Batch.Slot)) ? null
                    : _acks.TryVerify(bundle, out VerifiedAck[]? verified, out RejectReason reason) ? new AcksReply(verified) : Unverified(reason);
            case CertifiedFrame certified:
                return _acks.TryVerifyCertificate(certified.Certificate.Span, out VerifiedCertificate? certificate, out RejectReason why)
                    ? new CertificateReply(certificate)
                    : Unverified(why);
            case TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? shown):
                Volatile.Write(ref _tip, shown);
                return null;
            case RefusalFrame frame when frame.TryParse(committee.Cluster, out Refusal? refusal):
                return new RefusalReply(CheckedRefusal.Check(refusal, _batches, _acks));
            case AcksFrame or TipFrame or RefusalFrame or MalformedFrame:
                return new BadReply("It sent bytes that are no frame.");
            default:
                // Heartbeats, frames of a later version, and requests for what other witnesses hold too (W8).
                return null;
        }
    }

    private static BadReply Unverified(RejectReason reason) => new($"It sent what does not verify: {reason}.");
}
