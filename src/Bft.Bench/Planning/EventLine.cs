namespace Bft.Bench.Planning;

/// <summary>What happens next in a simulation, and the time that it is. Events of the same time happen in the order in which they were planned.</summary>
internal sealed class EventLine
{
    private readonly PriorityQueue<Action, (double Time, long Number)> _events = new();
    private long _planned;

    /// <summary>Unit: seconds.</summary>
    public double Now { get; private set; }

    public void After(double seconds, Action happens) => _events.Enqueue(happens, (Now + seconds, _planned++));

    /// <summary>Until the end, or until nothing is left to happen.</summary>
    public void RunUntil(double end)
    {
        while (_events.TryPeek(out Action? happens, out (double Time, long Number) at) && at.Time <= end)
        {
            _events.Dequeue();
            Now = at.Time;
            happens();
        }

        Now = end;
    }
}
