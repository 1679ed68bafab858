using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>Evidence that holds. Only <see cref="EvidenceVerifier"/> and the rules that caught the offender make one.</summary>
public sealed class VerifiedEvidence
{
    internal VerifiedEvidence(Evidence evidence, Slot slot, PublicKey offender, WitnessIndex? witness)
    {
        Evidence = evidence;
        Slot = slot;
        Offender = offender;
        Witness = witness;
    }

    public Evidence Evidence { get; }

    /// <summary>Where two things stand of which one is allowed.</summary>
    public Slot Slot { get; }

    /// <summary>The key that signed both.</summary>
    public PublicKey Offender { get; }

    /// <summary>The offender's index when it is a witness; null for a publisher.</summary>
    public WitnessIndex? Witness { get; }

    public override string ToString() => $"{Evidence.Kind} at {Slot} by {Offender}";

    /// <summary>Two verified originals of one publisher in one slot (W3).</summary>
    internal static VerifiedEvidence Of(VerifiedStatement first, VerifiedStatement second) => new(
        new PublisherEquivocation(SignedStatement.From(first), SignedStatement.From(second)),
        first.Reference.Slot,
        first.Statement.Header.Publisher,
        witness: null);

    /// <summary>Two verified acks of one witness, with the chains from each down to the slot in dispute (C2).</summary>
    internal static VerifiedEvidence Of(PublicKey key, Slot slot, VerifiedAck first, IReadOnlyList<ReadOnlyMemory<byte>> firstChain, VerifiedAck second, IReadOnlyList<ReadOnlyMemory<byte>> secondChain) => new(
        new WitnessEquivocation(new AckWithChain(first.ToBundle(), firstChain), new AckWithChain(second.ToBundle(), secondChain)),
        slot,
        key,
        first.Witness);
}
