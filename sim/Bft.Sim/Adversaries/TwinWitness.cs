using Bft.Node;
using Bft.Protocol.Membership;

namespace Bft.Sim;

/// <summary>One of two unmodified instances of one identity, each with its disk and its runs, each shown to a part of the cluster.</summary>
internal sealed class TwinWitness(SimulatedCluster cluster, int id, string name, WitnessIndex index) : WitnessParty(cluster, id, name, index)
{
    private const int RedrawPpm = 3_000;

    protected override void OnStart()
    {
        Cluster.Simulation.Note(TraceKind.Attack, Id, "runs twice");
        base.OnStart();
    }

    /// <summary>One run for both halves and for ever: else one would take the other's signatures for its own lost memory (W9).</summary>
    protected override Protocol.Model.Run NextRun() => new((ulong)Index.Value);

    /// <summary>Nobody who sees half of the cluster would get the answers that W9 waits for.</summary>
    protected override void OnStarted(Protocol.Model.Run run)
    {
        foreach (WitnessIndex peer in Cluster.Committee.Members.Where(peer => peer != Index))
        {
            Apply(new RecallInput(peer, [], null, run));
        }
    }

    protected override void OnTick()
    {
        if (Half == 0 && !Cluster.Sides.AreFixed && Cluster.Simulation.Choices.Fault(ChoiceStream.Adversary, Id, RedrawPpm, out Lot lot))
        {
            Cluster.Simulation.Choices.Record(lot.Id, "the sides change");
            Cluster.Simulation.Note(TraceKind.Attack, Id, "the twins change sides");
            Cluster.Sides.Draw(ref lot);
        }

        base.OnTick();
    }

    protected override bool Dials(int peer) => Cluster.Sides.IsShown(this, Cluster.All[peer]);
}
