using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Node;

/// <summary>Offenders that evidence named: witnesses, and publishers by stream. One entry per witness or stored stream.</summary>
internal sealed class EvidenceBook
{
    private readonly HashSet<StreamId> _streams = [];
    private WitnessSet _witnesses;

    public EvidenceBook(IEnumerable<VerifiedEvidence> replayed)
    {
        foreach (VerifiedEvidence evidence in replayed)
        {
            Add(evidence);
        }
    }

    /// <returns>False if the offender was named before.</returns>
    public bool Add(VerifiedEvidence evidence)
    {
        if (evidence.Witness is not { } witness)
        {
            return _streams.Add(evidence.Slot.Stream);
        }

        bool isNew = !_witnesses.Contains(witness);
        _witnesses = _witnesses.With(witness);
        return isNew;
    }
}
