using System.Collections.Concurrent;

namespace Bft.Sim.SmallScope;

/// <summary>One state of one witness, and where its inputs lead, as far as anybody asked.</summary>
internal sealed class WitnessState(int parent, int input, Replica replica, int inputs)
{
    /// <summary>Not asked yet.</summary>
    public const int Unknown = -2;

    /// <summary>The input cannot happen here.</summary>
    public const int Impossible = -1;

    public int Parent => parent;

    public int Input => input;

    public ulong Claimed { get; } = replica.Claimed;

    public int Crashes { get; } = replica.Crashes;

    public int Ticks { get; } = replica.Ticks;

    public int Tip { get; } = replica.Tip;

    public string? Violation { get; } = replica.Violation;

    /// <summary>Claims of the certificates that it can serve.</summary>
    public int[] Stored { get; } = [.. replica.Stored];

    public int[] Next { get; } = Filled(inputs);

    private static int[] Filled(int inputs)
    {
        int[] next = new int[inputs];
        Array.Fill(next, Unknown);
        return next;
    }
}

/// <summary>
/// Every state that a witness was driven to, each once. A witness is a function of its inputs, so a state is kept as the inputs that lead to it
/// first, and made again by giving them to a new object; where an input leads is found out once, whatever the other witnesses do meanwhile.
/// </summary>
/// <remarks>
/// All witnesses share this table: each is 0 to itself and knows its peers by distance. Two histories are one state when
/// <see cref="Replica.Hash"/> says so: then role, journal, what was flushed and what was shown are equal, and so is all that can follow.
/// </remarks>
internal sealed class WitnessStates
{
    [ThreadStatic]
    private static (WitnessStates? Owner, int State, Replica? Replica) _spare;

    private readonly SmallWorld _world;
    private readonly ConcurrentDictionary<UInt128, int> _byHash = new();
    private readonly ConcurrentDictionary<(int State, int Input), Sent[]> _sent = new();
    private readonly Lock _growing = new();
    private readonly CancellationToken _cancellation;
    private WitnessState[] _states = new WitnessState[1024];
    private volatile bool _isFull;
    private long _transitions;

    public WitnessStates(SmallWorld world, CancellationToken cancellation)
    {
        _world = world;
        _cancellation = cancellation;
        Intern(-1, -1, new Replica(world));
    }

    public int Count { get; private set; }

    /// <summary>Inputs given to product objects, without those that only led to where they were needed.</summary>
    public long Transitions => Volatile.Read(ref _transitions);

    /// <summary>The bound of states is reached, or the search is told to end; what is missing is not searched.</summary>
    public bool IsFull => _isFull || _cancellation.IsCancellationRequested;

    public WitnessState this[int state] => Volatile.Read(ref _states)[state];

    /// <summary>Where an input leads; <see cref="WitnessState.Impossible"/> when it cannot happen.</summary>
    public int Next(int state, int input)
    {
        WitnessState from = this[state];
        int known = Volatile.Read(ref from.Next[input]);
        if (known == WitnessState.Unknown)
        {
            known = Compute(state, input, from);
            Volatile.Write(ref from.Next[input], known);
        }

        return known;
    }

    /// <summary>What that input made the witness send.</summary>
    public Sent[] SentBy(int state, int input) => _sent.TryGetValue((state, input), out Sent[]? sent) ? sent : [];

    /// <summary>The inputs that lead to a state.</summary>
    public List<int> HistoryOf(int state)
    {
        List<int> inputs = [];
        for (WitnessState at = this[state]; at.Parent >= 0; at = this[at.Parent])
        {
            inputs.Add(at.Input);
        }

        inputs.Reverse();
        return inputs;
    }

    private int Compute(int state, int input, WitnessState from)
    {
        SmallInput kind = _world.Inputs[input].Kind;
        if (IsFull
            || (kind == SmallInput.Crash && from.Crashes >= _world.Options.Crashes)
            || (kind == SmallInput.Tick && from.Ticks >= _world.Options.Ticks))
        {
            return WitnessState.Impossible;
        }

        Replica replica = ReplicaAt(state);
        Interlocked.Increment(ref _transitions);
        if (!replica.TryApply(input))
        {
            _spare = (this, state, replica);
            return WitnessState.Impossible;
        }

        if (replica.SentNow.Count > 0)
        {
            _sent[(state, input)] = [.. replica.SentNow];
        }

        int next = Intern(state, input, replica);
        _spare = (this, next, replica);
        return next;
    }

    /// <summary>A witness in this state: most inputs change nothing, so that the one used last often is.</summary>
    private Replica ReplicaAt(int state)
    {
        (WitnessStates? owner, int at, Replica? spare) = _spare;
        _spare = default;
        if (owner == this && at == state)
        {
            return spare!;
        }

        Replica replica = new(_world);
        foreach (int before in HistoryOf(state))
        {
            replica.TryApply(before);
        }

        return replica;
    }

    private int Intern(int parent, int input, Replica replica)
    {
        UInt128 hash = replica.Hash();
        if (_byHash.TryGetValue(hash, out int known))
        {
            return known;
        }

        lock (_growing)
        {
            if (_byHash.TryGetValue(hash, out known))
            {
                return known;
            }

            if (Count >= _world.Options.WitnessStatesMax)
            {
                _isFull = true;
                return WitnessState.Impossible;
            }

            if (Count == _states.Length)
            {
                WitnessState[] larger = new WitnessState[2 * Count];
                _states.CopyTo(larger, 0);
                Volatile.Write(ref _states, larger);
            }

            _states[Count] = new WitnessState(parent, input, replica, _world.Inputs.Count);
            _byHash[hash] = Count;
            return Count++;
        }
    }
}
