using System.Buffers;
using System.Text;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>A publisher that signs whatever helps a fork, and shows each witness what suits. What it does of itself <see cref="Plot"/> says; a director may do without.</summary>
internal sealed class ConspiringPublisher(SimulatedCluster cluster, int id, string name) : Party(cluster, id, name)
{
    private const long Millisecond = 1_000_000;

    private readonly Connection?[] _calls = new Connection?[cluster.Plan.Witnesses];
    private readonly long[] _redialAt = new long[cluster.Plan.Witnesses];
    private readonly List<Branch> _branches = [];
    private Plot? _plot;
    private int _made;

    public override bool IsByzantine => true;

    /// <summary>A director moves it; it does nothing of itself.</summary>
    public bool IsScripted { get; set; }

    public IReadOnlyList<Branch> Branches => _branches;

    public IEnumerable<int> CorrectWitnesses => Cluster.Witnesses.Where(witness => !witness.IsByzantine).Select(witness => witness.Id);

    /// <summary>Correct witnesses that are shown this side.</summary>
    public int[] WitnessesOf(int side) => [.. CorrectWitnesses.Where(witness => side == Sides.Both || Cluster.Sides[Cluster.All[witness]] is var its && (its == side || its == Sides.Both))];

    /// <summary>Opens a stream.</summary>
    /// <param name="topic">Where.</param>
    /// <param name="side">To whom its first branch is shown.</param>
    /// <param name="incarnation">Null for one of now.</param>
    /// <param name="start">The link.</param>
    public Branch Begin(Topic topic, int side, Incarnation? incarnation = null, Ancestor start = default)
    {
        Incarnation own = incarnation ?? new Incarnation((ulong)ClockMs, Cluster.Simulation.Choices.Next(ChoiceStream.Adversary, Id).Bits());
        Branch branch = new(new StreamHeader(Cluster.Committee.Cluster, Cluster.KeyOf(this), topic, own), side) { Start = start };
        _branches.Add(branch);
        return branch;
    }

    /// <summary>Another chain with the same first batches.</summary>
    public Branch Fork(Branch branch, int common, int side)
    {
        Branch other = new(branch.Header, side) { Start = branch.Start, Batches = [.. branch.Batches.Take(common)] };
        _branches.Add(other);
        return other;
    }

    public VerifiedBatch Extend(Branch branch) => branch.Extend(Cluster, this, Encoding.ASCII.GetBytes($"{Name}#{_made++}"));

    public void Send(VerifiedBatch batch, IEnumerable<int> witnesses) =>
        Send(new BatchFrame(new SignedBatch(batch.Statement.Statement.Bytes, batch.Statement.Signature, batch.Body)), witnesses);

    public void Send(IPublishRequest frame, IEnumerable<int> witnesses)
    {
        foreach (int witness in witnesses)
        {
            if (_calls[witness] is { IsOpen: true } call)
            {
                Cluster.Network.Send(call, this, frame);
            }
        }
    }

    public void Send(byte[] bytes, int witness)
    {
        if (_calls[witness] is { IsOpen: true } call)
        {
            Cluster.Network.Send(call, this, bytes);
        }
    }

    /// <summary>Says in the log what it does.</summary>
    public void Note(string what) => Cluster.Simulation.Note(TraceKind.Attack, Id, what);

    public override void OnOpened(Connection connection)
    {
    }

    public override void OnClosed(Connection connection)
    {
        int witness = SimulatedCluster.IndexOf(connection.Server);
        if (_calls[witness] == connection)
        {
            _calls[witness] = null;
            _redialAt[witness] = Cluster.Simulation.Now + (200 * Millisecond);
        }
    }

    public override void OnMessage(Connection connection, byte[] bytes)
    {
        IFrame frame = FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(bytes));
        Cluster.Conspiracy.Learn(frame);
        _plot?.OnReply(frame, SimulatedCluster.IndexOf(connection.Server));
    }

    protected override void OnStart() => _plot ??= new Plot(Cluster, this);

    protected override void OnCrash()
    {
        Array.Clear(_calls);
        Array.Clear(_redialAt);
    }

    protected override void OnTick()
    {
        for (int witness = 0; witness < _calls.Length; witness++)
        {
            if (_calls[witness] is null && Cluster.Simulation.Now >= _redialAt[witness])
            {
                _calls[witness] = Cluster.Network.Open(this, witness, ChannelKind.Publish);
            }
        }

        if (!IsScripted)
        {
            _plot!.OnTick();
        }
    }
}
