using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Publishing;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Bft.Wire.Services;

namespace Bft.Client;

/// <summary>A witness's reply after verification: what a <see cref="PublisherDriver"/> may believe.</summary>
internal abstract record VerifiedReply;

internal sealed record AcksReply(VerifiedAck[] Acks) : VerifiedReply;

internal sealed record CertificateReply(VerifiedCertificate Certificate) : VerifiedReply;

internal sealed record RefusalReply(CheckedRefusal Refusal) : VerifiedReply;

/// <summary>P7: what the witness holds of our incarnations.</summary>
internal sealed record StandingReply(CheckedStanding Standing) : VerifiedReply;

/// <summary>P7: a body of ours that we asked for. Whether it is the right one is for who knows its statement to judge.</summary>
internal sealed record BodyReply(BodyFrame Body) : VerifiedReply;

/// <summary>No correct witness sends that.</summary>
internal sealed record BadReply(string What) : VerifiedReply;

/// <summary>Verifies what one witness replies. One thread at a time, which need not be the driver's.</summary>
internal sealed class PublishReplies(Committee committee, PublicKey publisher, Topic topic, CountedSignatures signatures, Predicate<Slot> isCovered)
{
    /// <summary>Streams whose newest tip is kept: the current one, and those that are finished beside it.</summary>
    private const int TipsMax = 8;

    private readonly AckVerifier _acks = new(committee, signatures, NodeLimits.Default.RememberedRootsMax);
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, signatures);
    private readonly Lock _gate = new();
    private readonly List<QuorumCertificate> _tips = [];

    /// <summary>The newest tip of each stream that the witness showed and nobody took; no signature was looked at. On any thread.</summary>
    public IReadOnlyList<QuorumCertificate> TakeTips()
    {
        lock (_gate)
        {
            if (_tips.Count == 0)
            {
                return [];
            }

            QuorumCertificate[] taken = [.. _tips];
            _tips.Clear();
            return taken;
        }
    }

    /// <summary>What verifying a reply cost; see <see cref="Allowance"/>.</summary>
    public long TakeCost(IPublishReply reply) => Allowance.CostOf(reply) + (signatures.Take() * Allowance.Signature);

    /// <summary>What a reply is for the driver; null when it is nothing, or waits in <see cref="TakeTips"/>.</summary>
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
                Keep(shown);
                return null;
            case RefusalFrame frame when frame.TryParse(committee.Cluster, out Refusal? refusal):
                return new RefusalReply(CheckedRefusal.Check(refusal, _batches, _acks));
            case StandingFrame standing when standing.Topic == topic && TryParse(standing.Certificates, out List<QuorumCertificate> tips):
                return new StandingReply(CheckedStanding.Check(publisher, topic, standing.Originals, tips, _batches, _acks));
            case BodyFrame body:
                return new BodyReply(body);
            case AcksFrame or TipFrame or RefusalFrame or StandingFrame or MalformedFrame:
                return new BadReply("It sent bytes that are no frame.");
            default:
                // Heartbeats, frames of a later version, and requests for what other witnesses hold too (W8).
                return null;
        }
    }

    private static bool TryParse(IEnumerable<ReadOnlyMemory<byte>> bytes, out List<QuorumCertificate> parsed)
    {
        parsed = [];
        foreach (ReadOnlyMemory<byte> one in bytes)
        {
            if (!QuorumCertificate.TryParse(one.Span, out QuorumCertificate? certificate))
            {
                return false;
            }

            parsed.Add(certificate);
        }

        return true;
    }

    private void Keep(QuorumCertificate tip)
    {
        lock (_gate)
        {
            _tips.RemoveAll(kept => kept.Batch.Stream == tip.Batch.Stream);
            if (_tips.Count == TipsMax)
            {
                _tips.RemoveAt(0);
            }

            _tips.Add(tip);
        }
    }

    private static BadReply Unverified(RejectReason reason) => new($"It sent what does not verify: {reason}.");
}
