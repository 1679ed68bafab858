using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Checks evidence as a third party would: with nothing but the committee's keys. Never accuses on anything but signatures over different things.</summary>
public sealed class EvidenceVerifier(Committee committee, ISignatureScheme scheme)
{
    private readonly BatchVerifier _batches = new(committee.Cluster, committee.Limits, scheme);

    public bool TryVerify(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out VerifiedEvidence? verified, out RejectReason reason)
    {
        verified = null;
        reason = RejectReason.Malformed;
        return Evidence.TryParse(committee.Cluster, bytes, out Evidence? evidence) && TryVerify(evidence, out verified, out reason);
    }

    public bool TryVerify(Evidence evidence, [NotNullWhen(true)] out VerifiedEvidence? verified, out RejectReason reason)
    {
        verified = null;
        reason = RejectReason.Malformed;
        return evidence switch
        {
            PublisherEquivocation publisher => TryVerify(publisher, out verified, out reason),
            WitnessEquivocation witness => TryVerify(witness, out verified, out reason),
            _ => false,
        };
    }

    private bool TryVerify(PublisherEquivocation evidence, [NotNullWhen(true)] out VerifiedEvidence? verified, out RejectReason reason)
    {
        verified = null;
        if (!_batches.TryVerifyStatement(evidence.First.Bytes.Span, evidence.First.Signature, out VerifiedStatement? first, out reason)
            || !_batches.TryVerifyStatement(evidence.Second.Bytes.Span, evidence.Second.Signature, out VerifiedStatement? second, out reason))
        {
            return false;
        }

        // Two signatures over one statement are no fault: identity is the digest, never the signature's bytes.
#if PLANTED
        if (Crypto.Planted.Is("accuse-two-signatures") && first.Reference == second.Reference && first.Signature != second.Signature)
        {
            verified = VerifiedEvidence.Of(first, second);
            return true;
        }
#endif
        if (first.Reference.Slot != second.Reference.Slot || first.Digest == second.Digest)
        {
            reason = RejectReason.NoConflict;
            return false;
        }

        verified = VerifiedEvidence.Of(first, second);
        return true;
    }

    private bool TryVerify(WitnessEquivocation evidence, [NotNullWhen(true)] out VerifiedEvidence? verified, out RejectReason reason)
    {
        verified = null;
        AckVerifier acks = new(committee, scheme, rememberedRootsMax: 2);
        if (!TrySide(acks, evidence.First, out VerifiedAck? first, out BatchRef firstClaim, out reason)
            || !TrySide(acks, evidence.Second, out VerifiedAck? second, out BatchRef secondClaim, out reason))
        {
            return false;
        }

        if (first.Witness != second.Witness || firstClaim.Slot != secondClaim.Slot || firstClaim.Digest == secondClaim.Digest)
        {
            reason = RejectReason.NoConflict;
            return false;
        }

        verified = new VerifiedEvidence(evidence, firstClaim.Slot, committee.KeyOf(first.Witness), first.Witness);
        return true;
    }

    /// <summary>The ack, and what it claims in the slot to which its chain leads.</summary>
    private bool TrySide(AckVerifier verifier, AckWithChain side, [NotNullWhen(true)] out VerifiedAck? ack, out BatchRef claim, out RejectReason reason)
    {
        ack = null;
        claim = default;
        if (!verifier.TryVerify(side.Ack, out VerifiedAck[]? acks, out reason))
        {
            return false;
        }

        if (acks.Length != 1)
        {
            reason = RejectReason.Malformed;
            return false;
        }

        ack = acks[0];
        claim = ack.Batch;
        foreach (ReadOnlyMemory<byte> bytes in side.Chain)
        {
            if (!_batches.TryVerifyCovered(bytes.Span, default, claim.Digest, out VerifiedStatement? statement, out reason))
            {
                return false;
            }

            if (statement.Reference != claim || statement.Statement.Ancestor.Kind != AncestorKind.Previous || claim.Sequence <= ack.Base)
            {
                reason = RejectReason.NoConflict;
                return false;
            }

            claim = new BatchRef(claim.Stream, claim.Sequence.Preceding, statement.Statement.Ancestor.Digest);
        }

        return true;
    }
}
