namespace Bft.Sim;

/// <summary>One thread, one clock, one order: the events of a run and whatever they cause.</summary>
/// <remarks>
/// Order is (virtual time, a random tie, sequence of scheduling); the tie is a hash of seed and sequence, so that events of the same
/// instant meet in every order over many seeds.
/// </remarks>
public sealed class Simulation(Choices choices, Trace? trace = null)
{
    private readonly PriorityQueue<Happening, (long At, uint Tie, long Sequence)> _events = new();
    private readonly SortedDictionary<string, long> _probes = new(StringComparer.Ordinal);
    private long _scheduled;

    public Choices Choices => choices;

    /// <summary>Virtual time. Unit: nanoseconds.</summary>
    public long Now { get; private set; }

    /// <summary>Events performed.</summary>
    public long Events { get; private set; }

    /// <summary>Encoded messages received by a party.</summary>
    public long Deliveries { get; internal set; }

    public AuditHash Hash { get; } = new();

    /// <summary>The log of this run; null when nobody wants one.</summary>
    public Trace? Trace => trace;

    /// <summary>How often each named point was reached.</summary>
    public IReadOnlyDictionary<string, long> Probes => _probes;

    /// <summary>Performs an action at a later instant. Unit: nanoseconds from now.</summary>
    public void After(long delay, Action action) => After(delay, new Doing(action));

    /// <summary>Lets something happen at a later instant. Unit: nanoseconds from now.</summary>
    public void After(long delay, Happening next)
    {
        long sequence = ++_scheduled;
        uint tie = unchecked((uint)new Lot(choices.Seed, new ChoiceId(ChoiceStream.Plan, -1, (int)sequence)).Bits());
        _events.Enqueue(next, (Now + Math.Max(delay, 1), tie, sequence));
    }

    /// <summary>Performs events until a time, or until nothing is left, or until told to stop.</summary>
    public void RunUntil(long until, Func<bool> isOver)
    {
        ArgumentNullException.ThrowIfNull(isOver);
        while (!isOver() && _events.TryPeek(out _, out (long At, uint Tie, long Sequence) next) && next.At <= until)
        {
            Happening due = _events.Dequeue();
            Now = next.At;
            Events++;
            due.Happen();
        }

        if (!isOver())
        {
            Now = Math.Max(Now, until);
        }
    }

    /// <summary>A point that runs should reach sometimes; the report says how often, and which never fired.</summary>
    public void Probe(string name, int party = -1)
    {
        _probes[name] = _probes.GetValueOrDefault(name) + 1;
        Note(TraceKind.Probe, party, name); // with a log or without: the hash must not depend on it
    }

    /// <summary>Writes an event down: always into the hash, into the log when there is one.</summary>
    public void Note(TraceKind kind, int party, string text = "", int other = -1, long message = 0, ulong content = 0)
    {
        Hash.Add(unchecked((ulong)Now ^ ((ulong)kind << 56) ^ ((ulong)(uint)party << 40) ^ ((ulong)(uint)other << 32)));
        Hash.Add(content);
        trace?.Add(new TraceEvent(trace.Count, Now, kind, party, other, message, text));
    }

    private sealed class Doing(Action action) : Happening
    {
        public override void Happen() => action();
    }
}

/// <summary>What happens at its time: arrivals and ticks, millions of them, as objects that hold what they need; all else by <see cref="Action"/>.</summary>
public abstract class Happening
{
    public abstract void Happen();
}
