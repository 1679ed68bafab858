using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Protocol;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Targets;

/// <summary>Ack bundles, and what verifies of them.</summary>
internal sealed class AcksTarget() : Target<AckBundle?>("acks")
{
    private const int LeafCountAt = 21;
    private const int HereAt = 121;
    private readonly AckVerifier _verifier = new(World.Committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax);

    public override IEnumerable<Seed> Seeds() =>
        World.Bundles.SelectMany((bundle, index) => Edges.Of($"bundle{index}", bundle.Encode(), index == 1 ? [LeafCountAt, HereAt] : []));

    protected override AckBundle? Decode(byte[] input) => AckBundle.TryParse(World.Committee.Cluster, input, out AckBundle? bundle) ? bundle : null;

    protected override Outcome Judge(byte[] input, AckBundle? decoded)
    {
        if (decoded is not { } bundle)
        {
            return Outcome.Rejected();
        }

        OracleException.RequireSame(input, bundle.Encode(), "An ack bundle");
        if (!_verifier.TryVerify(bundle, out VerifiedAck[]? acks, out RejectReason reason))
        {
            return Outcome.Accepted.With((ulong)reason).Sized(bundle.Leaves.Count);
        }

        OracleException.Require(acks.All(ack => World.IsAcked(ack.Witness.Value, ack.Leaf.Statement)), "An ack verified that no witness signed.");
        return Outcome.Accepted.With("verified").Sized(acks.Length);
    }
}
