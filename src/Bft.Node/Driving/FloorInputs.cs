using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Node;

/// <summary>S3: the floor that a peer named when it was asked for what is missing.</summary>
internal sealed class FloorInput(WitnessIndex peer, Slot floor, VerifiedCertificate certificate, bool isOfStatements) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnFloor(peer, floor, certificate, isOfStatements, effects);
}

/// <summary>S3: the peer that was asked for a slot stores nothing so high.</summary>
internal sealed class LackingInput(WitnessIndex peer, Slot slot) : CoreInput
{
    public override void Apply(WitnessRole role, WitnessEffects effects) => role.OnLacking(peer, slot);
}
