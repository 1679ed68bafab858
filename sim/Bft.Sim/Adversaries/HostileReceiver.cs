using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A receiver that never reads what it asked for, hands over floods, fetches everything and sends garbage.</summary>
internal sealed class HostileReceiver(SimulatedCluster cluster, int id, string name) : Party(cluster, id, name)
{
    private const int MovePpm = 300_000;
    private const int CallsMax = 16;

    private readonly CertificateBender _bender = new(cluster.Committee);
    private readonly List<Connection> _calls = [];

    public override void OnOpened(Connection connection)
    {
        foreach (IFrame frame in (IReadOnlyList<IFrame>)connection.ClientState!)
        {
            Cluster.Network.Send(connection, this, frame);
        }
    }

    public override void OnClosed(Connection connection) => _calls.Remove(connection);

    /// <summary>It takes no byte off the connection: the witness runs into the window.</summary>
    public override void OnMessage(Connection connection, byte[] bytes) => connection.BytesToClient += bytes.Length;

    protected override void OnStart()
    {
    }

    protected override void OnCrash() => _calls.Clear();

    protected override void OnTick()
    {
        if (!Cluster.Simulation.Choices.Fault(ChoiceStream.Adversary, Id, MovePpm, out Lot lot))
        {
            return;
        }

        if (_calls.Count >= CallsMax)
        {
            Cluster.Network.Close(_calls[0]);
            _calls.RemoveAt(0);
            return;
        }

        int witness = lot.Below(Cluster.Plan.Witnesses);
        Topic topic = lot.Of(Cluster.Topics);
        IReadOnlyList<Protocol.Verification.QuorumCertificate> certificates = Cluster.Conspiracy.Certificates;
        (ChannelKind kind, IReadOnlyList<IFrame> frames, string what) = lot.Below(6) switch
        {
            0 => (ChannelKind.Bodies, (IReadOnlyList<IFrame>)[new StartFrame(topic, StartPosition.Earliest, [], WithBodies: true)], "subscribes and never reads"),
            1 => (ChannelKind.Tips, [new StartFrame(topic, StartPosition.Latest, [], WithBodies: false)], "follows tips and never reads"),
            2 when certificates.Count > 0 => (ChannelKind.Publish, [.. certificates.Select(certificate => new CertifiedFrame(certificate.Bytes, []))], "hands over all it knows"),
            3 when certificates.Count > 0 => (ChannelKind.Publish, [new CertifiedFrame(_bender.Bend(lot.Of(certificates), ref lot).Bytes, [])], "hands over a forgery"),
            4 when certificates.Count > 0 => (ChannelKind.Fetch, [new FetchFrame(lot.Of(certificates).Batch.Stream, Sequence.Zero, new Sequence(Sequence.MaxValue), WithBodies: true)], "fetches everything"),
            _ => (lot.Of([ChannelKind.Bodies, ChannelKind.Publish, ChannelKind.Fetch]), [new HeartbeatFrame(), new StartFrame(topic, StartPosition.Cursor, [], WithBodies: true)], "sends what does not belong there"),
        };
        Cluster.Simulation.Choices.Record(lot.Id, $"{Name} {what}");
        Cluster.Simulation.Note(TraceKind.Attack, Id, what, witness);
        _calls.Add(Cluster.Network.Open(this, witness, kind, frames));
    }
}
