using Bft.Crypto;
using Bft.Fuzz.Samples;
using Bft.Protocol.Verification;

namespace Bft.Fuzz.Targets;

/// <summary>Evidence: whatever is made of it, nobody is accused who did nothing.</summary>
internal sealed class EvidenceTarget() : Target<Evidence?>("evidence")
{
    private readonly EvidenceVerifier _verifier = new(World.Committee, Ed25519.Instance);

    public override IEnumerable<Seed> Seeds()
    {
        foreach (Seed seed in World.Evidence.SelectMany((evidence, index) => Edges.Of($"evidence{index}", evidence.Encode(), index == 1 ? [1] : [])))
        {
            yield return seed;
        }

        VerifiedBatch honest = World.Batches[0];
        SignedStatement once = SignedStatement.From(honest.Statement);
        yield return new Seed("the-same-twice", new PublisherEquivocation(once, once).Encode());
        yield return new Seed("two-slots", new PublisherEquivocation(once, SignedStatement.From(World.Batches[1].Statement)).Encode());
        yield return new Seed("the-same-ack-twice", new WitnessEquivocation(new AckWithChain(World.Bundles[0], []), new AckWithChain(World.Bundles[0], [])).Encode());

        // As many statements of no byte as a chain may have.
        AckWithChain empty = new(World.Bundles[2], Enumerable.Repeat(default(ReadOnlyMemory<byte>), 4096).ToArray());
        yield return new Seed("chain-of-nothing", new WitnessEquivocation(empty, empty).Encode());
    }

    protected override Evidence? Decode(byte[] input) => Evidence.TryParse(World.Committee.Cluster, input, out Evidence? evidence) ? evidence : null;

    protected override Outcome Judge(byte[] input, Evidence? decoded)
    {
        if (decoded is not { } evidence)
        {
            return Outcome.Rejected();
        }

        OracleException.RequireSame(input, evidence.Encode(), "Evidence");
        if (!_verifier.TryVerify(evidence, out VerifiedEvidence? verified, out RejectReason reason))
        {
            return Outcome.Accepted.With((ulong)evidence.Kind).With((ulong)reason);
        }

        OracleException.Require(World.Offenders.Contains(verified.Offender), $"{verified.Offender} is accused and did nothing.");
        return Outcome.Accepted.With("verified").With((ulong)evidence.Kind);
    }
}
