using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Sim;

/// <summary>What one witness has decided: in this run, and on its disk for sure.</summary>
internal sealed class WitnessMemory
{
    private readonly SortedDictionary<StreamId, StreamMemory> _streams = [];
    private readonly HashSet<Fact> _known = [];
    private readonly Dictionary<Fact, ulong> _sure = []; // with the commit
    private readonly List<Fact> _open = [];
    private readonly Queue<(ulong Mark, Fact[] Facts)> _sealed = new();

    public SortedDictionary<StreamId, StreamHeader> Headers { get; } = [];

    public List<(BatchRef Batch, StreamId Target, Ancestor Link)> Linked { get; } = [];

    public ulong Run { get; private set; }

    /// <summary>When the run began. Unit: nanoseconds.</summary>
    public long Since { get; private set; }

    /// <summary>The last commit that the run found on its disk.</summary>
    public ulong Replayed { get; private set; }

    /// <summary>Peers that answered this run's question.</summary>
    public SortedSet<int> Answered { get; } = [];

    /// <summary>Who showed it, in this run, that its disk forgot.</summary>
    public int? ShownBy { get; set; }

    public StreamMemory StreamOf(StreamId stream)
    {
        if (!_streams.TryGetValue(stream, out StreamMemory? memory))
        {
            _streams.Add(stream, memory = new StreamMemory());
        }

        return memory;
    }

    public bool Has(in Fact fact) => _known.Contains(fact);

    public void Restore(ulong mark, bool isDiskLost)
    {
        // A commit that was under way at the crash may be whole on the disk: then the run goes on with it.
        Durable(mark);
        _sealed.Clear();
        foreach (Fact lost in _sure.Where(fact => isDiskLost || fact.Value > mark).Select(fact => fact.Key).ToArray())
        {
            _sure.Remove(lost);
        }

        _known.Clear();
        _known.UnionWith(_sure.Keys);
        Replayed = mark;
    }

    public void Begin(ulong run, long now)
    {
        (Run, Since, ShownBy) = (run, now, null);
        Answered.Clear();
    }

    public void Note(in Fact fact)
    {
        _known.Add(fact);
        _open.Add(fact);
    }

    public void Seal(ulong mark)
    {
        _sealed.Enqueue((mark, [.. _open]));
        _open.Clear();
    }

    public void Durable(ulong mark)
    {
        while (_sealed.TryPeek(out (ulong Mark, Fact[] Facts) next) && next.Mark <= mark)
        {
            foreach (Fact fact in _sealed.Dequeue().Facts)
            {
                _sure.TryAdd(fact, next.Mark);
            }
        }
    }

    public void Crash()
    {
        _open.Clear();
        Linked.Clear();
        foreach (StreamMemory stream in _streams.Values)
        {
            stream.LastAck = null;
        }
    }
}

/// <summary>What a witness must not forget once it is on its disk.</summary>
internal enum FactKind
{
    MemoryLost,
    PublisherProven,
    Retired,
    Acked,
}

/// <param name="Kind">What.</param>
/// <param name="Stream">Where; default for what is so in all.</param>
internal readonly record struct Fact(FactKind Kind, StreamId Stream);

/// <summary>How far one witness is in a stream.</summary>
internal sealed class StreamMemory
{
    /// <summary>The highest stored tip shown; a correct witness keeps it for ever.</summary>
    public BatchRef? Tip { get; set; }

    /// <summary>Certificates recorded reach below it.</summary>
    public ulong End { get; set; }

    /// <summary>In this run: which slot, and when.</summary>
    public (ulong Sequence, long At)? LastAck { get; set; }
}
