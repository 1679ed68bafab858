using Bft.Protocol.Membership;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>It takes every call, and says nothing.</summary>
internal sealed class SilentWitness(SimulatedCluster cluster, int id, string name, WitnessIndex index) : WitnessParty(cluster, id, name, index)
{
    private bool _isNoted;

    protected override void Send(Connection connection, IFrame frame)
    {
        if (!_isNoted)
        {
            _isNoted = true;
            Cluster.Simulation.Note(TraceKind.Attack, Id, "says nothing");
        }
    }
}
