using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <content>What proves somebody faulty. Rules W3, W10 and C2.</content>
public sealed partial class WitnessRole
{
    /// <summary>C2: a verified certificate shows another batch in a slot than the one that is stored there.</summary>
    /// <param name="stored">The stored certificate that covers the slot.</param>
    /// <param name="statements">Of the slots from that one to the stored certificate's own.</param>
    /// <param name="other">Of another batch in the first of these slots.</param>
    /// <param name="effects">What follows.</param>
    public void OnStoredFork(VerifiedCertificate stored, IReadOnlyList<VerifiedStatement> statements, VerifiedCertificate other, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(statements);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(effects);
        See(_recall.See(other), effects);
        _offenders.Compare(other.Batch.Slot, stored, statements.Skip(1).Reverse(), other, [], effects);
    }

    /// <summary>C2: the stored tip's certificate, which a <see cref="TipFork"/> asked for.</summary>
    public void OnTipFork(VerifiedCertificate tip, TipFork fork, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(tip);
        ArgumentNullException.ThrowIfNull(fork);
        ArgumentNullException.ThrowIfNull(effects);
        _offenders.Compare(fork.Tip.Slot, tip, [], fork.Other, fork.Chain, effects);
    }

    /// <summary>W3: the stored statement of a slot that a <see cref="StoredSlotOffer"/> asked for differs from the offered one.</summary>
    public void OnStoredConflict(VerifiedStatement stored, VerifiedStatement offered, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(offered);
        StreamFor(stored.Reference.Stream, effects).Witness.Prove(stored, offered, effects);
    }

    /// <summary>W10: the first evidence about each offender, by their keys.</summary>
    public IReadOnlyCollection<VerifiedEvidence> Evidence => _offenders.Evidence;

    /// <summary>W10: evidence from a peer. The first about an offender is kept and passed on.</summary>
    public void OnEvidence(VerifiedEvidence evidence, WitnessEffects effects)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(effects);
        _streams.TryGetValue(evidence.Slot.Stream, out WitnessStream? stream);
        if (_offenders.Keep(evidence, stream is not null, effects) && evidence.Witness is null)
        {
            stream?.Witness.RestoreEvidence();
        }
    }
}
