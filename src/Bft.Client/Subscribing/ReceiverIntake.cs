using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>A frame of a subscription, with what was found out about it where signatures cost nobody else's time.</summary>
/// <param name="From">Who sent it.</param>
/// <param name="Channel">On which subscription.</param>
/// <param name="Frame">As it came.</param>
/// <param name="Range">Verified, of a <see cref="CertifiedFrame"/>.</param>
/// <param name="Tip">Parsed, of a <see cref="TipFrame"/>.</param>
/// <param name="Proof">Verified, of a <see cref="FloorFrame"/>.</param>
/// <param name="Fault">What no correct witness sends; null when there is no such thing.</param>
internal readonly record struct ReceivedFrame(
    WitnessIndex From, SubscriptionChannel Channel, ISubscribeReply Frame, CertifiedRange? Range = null, QuorumCertificate? Tip = null, VerifiedCertificate? Proof = null, string? Fault = null);

/// <summary>Looks at frames before the driver does: parsing and signatures. Each subscription has its own, for the task that reads it; total functions.</summary>
internal sealed class ReceiverIntake(Committee committee, ISignatureScheme scheme, ByteCredit credit)
{
    /// <summary>Nobody counts or charges what comes where only tips are told.</summary>
    private const string Unasked = "The witness served what it was not asked for.";

    private readonly AckVerifier _acks = new(committee, scheme, Protocol.NodeLimits.Default.RememberedRootsMax);
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, scheme);

    /// <summary>A body's bytes count from here on as moving (R6).</summary>
    public ReceivedFrame Read(WitnessIndex from, SubscriptionChannel channel, ISubscribeReply frame)
    {
        ReceivedFrame received = new(from, channel, frame);
        switch (frame)
        {
            case CertifiedFrame certified when channel == SubscriptionChannel.Bodies:
                return TryRange(certified, out CertifiedRange? range, out RejectReason why) ? received with { Range = range } : received with { Fault = $"The witness sent what does not verify: {why}." };
            case BodyFrame body:
                credit.Add(body.Body.Length);
                return channel == SubscriptionChannel.Bodies ? received : received with { Fault = Unasked };
            case CertifiedFrame:
                return received with { Fault = Unasked };
            case TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? shown):
                return received with { Tip = shown };
            case FloorFrame floor:
                return _acks.TryVerifyCertificate(floor.Certificate.Span, out VerifiedCertificate? proof, out RejectReason reason)
                    ? received with { Proof = proof }
                    : received with { Fault = $"The witness named a floor without its proof: {reason}." };
            case TipFrame or MalformedFrame:
                return received with { Fault = "The witness sent bytes that are no frame." };
            default:
                return received;
        }
    }

    private bool TryRange(CertifiedFrame frame, out CertifiedRange? range, out RejectReason reason)
    {
        range = null;
        return _acks.TryVerifyCertificate(frame.Certificate.Span, out VerifiedCertificate? certificate, out reason)
            && CertifiedRange.TryVerify(_batches, certificate, frame.Statements, out range, out reason);
    }
}
