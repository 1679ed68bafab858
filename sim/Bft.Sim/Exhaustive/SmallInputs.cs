namespace Bft.Sim.SmallScope;

/// <summary>What can happen to one witness.</summary>
internal enum SmallInput
{
    /// <summary>The publisher's batch arrives.</summary>
    Batch,

    /// <summary>A peer serves a covered batch, without the publisher's signature (S1).</summary>
    Covered,

    /// <summary>A peer's ack arrives.</summary>
    Ack,

    /// <summary>A certificate arrives alone, as a tip does.</summary>
    Certificate,

    /// <summary>A certificate arrives with the statements that it covers.</summary>
    Range,

    /// <summary>Records emitted so far become one commit.</summary>
    Seal,

    /// <summary>The oldest commit is on the disk, and the role is told.</summary>
    Durable,

    /// <summary>Power cut and restart. The argument says how many records that were not flushed are there all the same.</summary>
    Crash,

    Tick,

    /// <summary>A peer's connection opens.</summary>
    Connect,

    /// <summary>Time enough for whatever waits for time.</summary>
    Wait,
}

/// <summary>Numbers every input that a witness of this scope can get. The network's come first, so that a set of them is a bit mask.</summary>
/// <remarks>Peers are numbered by distance: each witness is 0 to itself, and d is the d-th correct one after it; the Byzantine ones keep their numbers.</remarks>
internal sealed class SmallInputs
{
    public const int CrashKeepsMax = 4;

    private readonly SmallWorld _world;
    private readonly (SmallInput Kind, int Peer, int What)[] _inputs;
    private readonly int _firstAck;
    private readonly int _firstCertificate;

    public SmallInputs(SmallWorld world)
    {
        _world = world;
        List<(SmallInput, int, int)> inputs = [];
        inputs.AddRange(Enumerable.Range(0, world.Batches).Select(batch => (SmallInput.Batch, 0, batch)));
        inputs.AddRange(Enumerable.Range(0, world.Batches).Select(batch => (SmallInput.Covered, 0, batch)));
        _firstAck = inputs.Count;
        inputs.AddRange(Enumerable.Range(1, world.Witnesses - 1).SelectMany(peer => Enumerable.Range(0, world.Claims.Count).Select(claim => (SmallInput.Ack, peer, claim))));
        _firstCertificate = inputs.Count;
        inputs.AddRange(Enumerable.Range(0, world.Claims.Count).Select(claim => (SmallInput.Certificate, 0, claim)));
        inputs.AddRange(Enumerable.Range(0, world.Claims.Count).Select(claim => (SmallInput.Range, 0, claim)));
        NetworkCount = inputs.Count;
        Seal = Add(inputs, SmallInput.Seal, 0);
        Durable = Add(inputs, SmallInput.Durable, 0);
        for (int keeps = 0; keeps <= CrashKeepsMax; keeps++)
        {
            Add(inputs, SmallInput.Crash, keeps);
        }

        Add(inputs, SmallInput.Tick, 0);
        StepCount = inputs.Count;
        FirstConnect = inputs.Count;
        inputs.AddRange(Enumerable.Range(0, world.Witnesses).Select(peer => (SmallInput.Connect, peer, 0)));
        Wait = Add(inputs, SmallInput.Wait, 0);
        _inputs = [.. inputs];
        if (NetworkCount > 128)
        {
            throw new ArgumentException("The scope has more messages than a mask has bits.", nameof(world));
        }
    }

    public int Count => _inputs.Length;

    /// <summary>Inputs below are messages.</summary>
    public int NetworkCount { get; }

    /// <summary>Inputs below are steps of the search; those above only heal.</summary>
    public int StepCount { get; }

    public int Seal { get; }

    public int Durable { get; }

    public int Wait { get; }

    public int FirstConnect { get; }

    public (SmallInput Kind, int Peer, int What) this[int input] => _inputs[input];

    public static int Batch(int batch) => batch;

    public int Covered(int batch) => _world.Batches + batch;

    public int Ack(int peer, int claim) => _firstAck + ((peer - 1) * _world.Claims.Count) + claim;

    public int Certificate(int claim) => _firstCertificate + claim;

    public int Range(int claim) => _firstCertificate + _world.Claims.Count + claim;

    public static UInt128 Bit(int input) => UInt128.One << input;

    /// <summary>For people; peers by their real numbers.</summary>
    public string Describe(int input, int self)
    {
        (SmallInput kind, int peer, int what) = _inputs[input];
        string name = NameOf(self, _world);
        return kind switch
        {
            SmallInput.Batch => $"{name}: batch {_world.NameOf(what)} arrives",
            SmallInput.Covered => $"{name}: batch {_world.NameOf(what)} is served by a peer",
            SmallInput.Ack => $"{name}: ack of {_world.NameOfClaim(what)} by {NameOf(peer < _world.Correct ? (self + peer) % _world.Correct : peer, _world)} arrives",
            SmallInput.Certificate => $"{name}: certificate of {_world.NameOfClaim(what)} arrives",
            SmallInput.Range => $"{name}: certificate of {_world.NameOfClaim(what)} arrives with its statements",
            SmallInput.Seal => $"{name}: seals a commit",
            SmallInput.Durable => $"{name}: its oldest commit is durable",
            SmallInput.Crash => $"{name}: crashes and restarts{(what == 0 ? "" : $"; {what} unflushed records survived")}",
            SmallInput.Tick => $"{name}: a tick",
            SmallInput.Connect => $"{name}: {NameOf((self + peer) % _world.Correct, _world)} connects",
            _ => $"{name}: time passes",
        };
    }

    private static string NameOf(int witness, SmallWorld world) => witness < world.Correct ? $"W{witness}" : $"W{witness} (Byzantine)";

    private static int Add(List<(SmallInput, int, int)> inputs, SmallInput kind, int what)
    {
        inputs.Add((kind, 0, what));
        return inputs.Count - 1;
    }
}
