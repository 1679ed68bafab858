namespace Bft.Sim;

/// <summary>The log of one run, in order.</summary>
public sealed class Trace
{
    private readonly List<TraceEvent> _events = [];

    public int Count => _events.Count;

    public IReadOnlyList<TraceEvent> Events => _events;

    public void Add(TraceEvent happened) => _events.Add(happened);
}
