using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;

namespace Bft.Node;

/// <summary>An input that is the repairs' and not the role's.</summary>
internal abstract class RepairInput : CoreInput
{
    /// <returns>A batch whose bytes the next commit writes.</returns>
    public abstract VerifiedBatch? Apply(Repairs repairs);

    public sealed override void Apply(WitnessRole role, WitnessEffects effects)
    {
    }
}

/// <summary>The scrub read a segment to its end, and something is wrong with it.</summary>
internal sealed class ScrubbedInput(Scrubbed found) : RepairInput
{
    public override VerifiedBatch? Apply(Repairs repairs)
    {
        repairs.OnScrubbed(found);
        return null;
    }
}

internal sealed class RepairRangeInput(RepairOrder order, VerifiedCertificate certificate, IReadOnlyList<VerifiedStatement> statements) : RepairInput
{
    public override VerifiedBatch? Apply(Repairs repairs)
    {
        repairs.OnCertified(order, certificate, statements);
        return null;
    }
}

internal sealed class RepairBodyInput(RepairOrder order, VerifiedBatch batch) : RepairInput
{
    public override VerifiedBatch? Apply(Repairs repairs) => repairs.OnBody(order, batch) ? batch : null;
}

/// <summary>The fetch ended, however it went.</summary>
internal sealed class RepairEndedInput(RepairOrder order) : RepairInput
{
    public override VerifiedBatch? Apply(Repairs repairs)
    {
        repairs.OnEnded(order);
        return null;
    }
}
