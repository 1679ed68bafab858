using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>What a witness that lags in a stream gives up, since its peers have cut it. Rule S3.</summary>
/// <remarks>
/// Bodies first; statements and certificates of the slots skipped are fetched still. When these have gone too it goes on from a certificate right below
/// the lowest statement that is left, by the same counts. Lives as long as the stream is behind, so that who is excluded is so for one catch-up only.
/// </remarks>
internal sealed class Skipping(Committee committee, WitnessIndex self, StreamWitness witness)
{
    private readonly StreamFloors _bodies = new(committee);
    private readonly StreamFloors _statements = new(committee);
    private readonly VerifiedCertificate?[] _proofs = new VerifiedCertificate?[committee.Size.Count];

    /// <summary>A peer answered that it stores nothing so high.</summary>
    public void OnLacking(WitnessIndex peer, Sequence slot)
    {
        Sequence? tip = slot.IsFirst ? null : slot.Preceding;
        _bodies.OnTip(peer, tip);
        _statements.OnTip(peer, tip);
    }

    /// <summary>A peer named a floor when it was asked for the slot that is missing.</summary>
    /// <param name="peer">Whose floor.</param>
    /// <param name="floor">Its lowest body, or its lowest statement.</param>
    /// <param name="certificate">Its proof.</param>
    /// <param name="isOfStatements">It was asked without bodies.</param>
    /// <param name="group">The open commit.</param>
    /// <param name="effects">What follows when the floor is accepted.</param>
    public void OnFloor(WitnessIndex peer, Slot floor, VerifiedCertificate certificate, bool isOfStatements, CommitGroup group, WitnessEffects effects)
    {
        Sequence missing = witness.FirstMissing;
        StreamFloors floors = isOfStatements ? _statements : _bodies;
        if (floors.FloorOf(peer) is { } named && named == missing && floor.Sequence > named)
        {
            // R4: it does not serve the slot that it named.
            floors.OnUnserved(peer);
        }

        if (!floors.OnFloor(peer, floor, certificate))
        {
            return;
        }

        if (isOfStatements && certificate.Batch.Sequence.Following == floor.Sequence)
        {
            _proofs[peer.Value] = certificate;
        }

        // It is itself among those that lack the slot.
        floors.OnTip(self, witness.StoredTip?.Sequence);
        if (floors.Accepted(missing) is not { } accepted)
        {
            return;
        }

        if (!isOfStatements)
        {
            witness.SkipTo(accepted, group, effects);
        }
        else if (Array.Find(_proofs, proof => proof?.Batch.Sequence.Following == accepted) is { } jump)
        {
            witness.JumpTo(jump, group, effects);
        }
    }
}
