using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Sim;

/// <summary>Sees in a witness's decisions the points that some runs must reach.</summary>
internal sealed class WitnessProbes(SimulatedCluster cluster, int party)
{
    /// <summary>Over all lives: adoption may come long after the ack. Kept only where a slot can have two values.</summary>
    private readonly Dictionary<Slot, Digest>? _acked = cluster.Plan.ByzantinePublishers > 0 ? [] : null;

    /// <summary>Asked of a peer because f + 1 acked them (W6).</summary>
    private readonly HashSet<Digest> _fetched = [];

    /// <summary>A peer's evidence is being dealt with.</summary>
    public bool IsTold { get; set; }

    public void OnDecided(WitnessEffects effects)
    {
        if (IsTold && effects.Evidence.Count > 0)
        {
            Reach("evidence exchanged (W10)");
        }

        if (effects.HasLostMemory)
        {
            Reach("lost memory noticed (W9)");
        }

        foreach (FetchOrder order in effects.Fetches)
        {
            if (order.Batch is { } wanted)
            {
                _fetched.Add(wanted);
            }
        }

        foreach (WitnessRecord record in effects.Records)
        {
            switch (record)
            {
                case FloorRecord or SkippedRecord or JumpRecord:
                    Reach("floor adopted by a laggard (S3)");
                    break;
                case RetiredRecord:
                    Reach("incarnation retired (W11)");
                    break;
                case BatchRecord { Batch: var batch, AckBase: not null }:
                    if (_fetched.Remove(batch.Digest) && cluster.PartyOf(batch.Statement.Statement.Header.Publisher) is var publisher and >= 0 && !cluster.All[publisher].IsUp)
                    {
                        Reach("a dead publisher's batch finished (W6)");
                    }

                    _acked?.TryAdd(batch.Reference.Slot, batch.Digest);
                    if (batch.Statement.Statement.Ancestor.Kind == AncestorKind.Link)
                    {
                        Reach("incarnation linked");
                    }

                    break;
                case BatchRecord { Batch: var batch } when _acked is not null && _acked.TryGetValue(batch.Reference.Slot, out Digest own) && own != batch.Digest:
                    Reach("certificate adopted over an own ack (W5)");
                    break;
                default:
                    break;
            }
        }
    }

    private void Reach(string probe) => cluster.Simulation.Probe(probe, party);
}
