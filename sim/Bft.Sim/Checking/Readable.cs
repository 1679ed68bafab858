using Bft.Protocol.Model;
using Bft.Storage;

namespace Bft.Sim;

/// <summary>Whatever rotted in a store is served again by its witness at the end (W9: damage is repaired from peers).</summary>
internal sealed class Readable(SimulatedCluster cluster) : Checker
{
    private readonly SortedDictionary<int, int> _rounds = [];

    /// <summary>What is certified is never lost: a part of that property, only where stores rot.</summary>
    public override string Name => "durability";

    /// <summary>A whole round has passed since the chaos, and what it found is repaired.</summary>
    public override bool IsSettled => Core.All(witness => _rounds.TryGetValue(witness.Id, out int before) && witness.ScrubRounds > before + 1 && witness.Store.Damages.Count == 0);

    private IEnumerable<WitnessParty> Core => cluster.Witnesses.Where(witness => witness.IsUp && cluster.IsInCore(witness.Id));

    public override void OnHealed()
    {
        foreach (WitnessParty witness in cluster.Witnesses.Where(witness => cluster.IsInCore(witness.Id)))
        {
            _rounds.Add(witness.Id, witness.IsUp ? witness.ScrubRounds : 0);
        }
    }

    public override void OnEnd()
    {
        foreach (WitnessParty witness in Core)
        {
            if (witness.Store.Damages.Mended > 0)
            {
                cluster.Simulation.Probe("rot repaired", witness.Id);
            }

            foreach (StreamLog log in witness.Store.Streams)
            {
                for (Sequence sequence = log.FirstKept; sequence < log.End; sequence = sequence.Following)
                {
                    log.Check(new DamagedPart(log.Header.Id, sequence));
                    log.Check(new DamagedPart(log.Header.Id, sequence, IsCertificate: true));
                }
            }

            if (witness.Store.Damages.After(default, 1) is { } damaged)
            {
                Fail($"{NameOf(witness.Id)} cannot read {witness.Store.Damages.Count} of its records, the first in slot {damaged.First.Sequence}", witness.Id);
            }
        }
    }
}
