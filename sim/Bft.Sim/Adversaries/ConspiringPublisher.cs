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

    private readonly SortedDictionary<int, Connection> _calls = [];
    private readonly SortedDictionary<int, long> _redialAt = [];
    private readonly List<Branch> _branches = [];
    private Plot? _plot;
    private int _made;

    /// <summary>A director moves it; it does nothing of itself.</summary>
    public bool IsScripted { get; set; }

    public IReadOnlyList<Branch> Branches => _branches;

    public IEnumerable<int> CorrectWitnesses => Cluster.Witnesses.Where(witness => !witness.IsByzantine).Select(witness => witness.Id);

    /// <summary>Correct witnesses that are shown this side, and the halves of twins that stand on it.</summary>
    public int[] WitnessesOf(int side) =>
    [
        .. Cluster.Witnesses
            .Where(witness => (!witness.IsByzantine || witness is TwinWitness) && (side == Sides.Both || Cluster.Sides[witness] is var its && (its == side || its == Sides.Both)))
            .Select(witness => witness.Id),
    ];

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
            if (_calls.GetValueOrDefault(witness) is { IsOpen: true } call)
            {
                Cluster.Network.Send(call, this, frame);
            }
        }
    }

    public void Send(byte[] bytes, int witness)
    {
        if (_calls.GetValueOrDefault(witness) is { IsOpen: true } call)
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
        int witness = connection.Server.Id;
        if (_calls.GetValueOrDefault(witness) == connection)
        {
            _calls.Remove(witness);
            _redialAt[witness] = Cluster.Simulation.Now + (200 * Millisecond);
        }
    }

    public override void OnMessage(Connection connection, byte[] bytes)
    {
        IFrame frame = FrameCodec.Decode<IFrame>(new ReadOnlySequence<byte>(bytes));
        Cluster.Conspiracy.Learn(frame);
        _plot?.OnReply(frame, connection.Server.Id);
    }

    protected override void OnStart() => _plot ??= new Plot(Cluster, this);

    protected override void OnCrash()
    {
        _calls.Clear();
        _redialAt.Clear();
    }

    protected override void OnTick()
    {
        foreach (WitnessParty witness in Cluster.Witnesses)
        {
            if (!_calls.ContainsKey(witness.Id) && Cluster.Simulation.Now >= _redialAt.GetValueOrDefault(witness.Id))
            {
                _calls.Add(witness.Id, Cluster.Network.Open(this, witness, ChannelKind.Publish));
            }
        }

        if (!IsScripted)
        {
            _plot!.OnTick();
        }
    }
}
