namespace Bft.Bench.Planning;

/// <summary>Something that does one job after the other, in the order in which they came: processors, a link, a disk.</summary>
/// <param name="line">The time.</param>
/// <param name="servers">Jobs at a time; the part behind the point makes all of them a little slower or faster.</param>
/// <param name="commits">All that waits goes together, and costs this once (a disk's flush); null when each job goes alone.</param>
internal sealed class Station(EventLine line, double servers, double? commits = null)
{
    private readonly Queue<(double Seconds, Action Done)> _waiting = new();
    private readonly int _places = Math.Max(1, (int)servers);
    private readonly double _speed = servers / Math.Max(1, (int)servers);
    private int _busy;
    private double _since;
    private double _area; // batches and seconds

    /// <summary>Waiting or served, now.</summary>
    public int Count { get; private set; }

    /// <summary>The same on average since the start.</summary>
    public double Mean => line.Now > 0 ? (_area + (Count * (line.Now - _since))) / line.Now : 0;

    public void Do(double seconds, Action done)
    {
        Counted(1);
        _waiting.Enqueue((seconds, done));
        Begin();
    }

    private void Begin()
    {
        while (_busy < _places && _waiting.Count > 0)
        {
            List<Action> done = [];
            double time = commits ?? 0;
            do
            {
                (double seconds, Action one) = _waiting.Dequeue();
                time += seconds / _speed;
                done.Add(one);
            }
            while (commits is not null && _waiting.Count > 0);

            _busy++;
            line.After(time, () =>
            {
                _busy--;
                Counted(-done.Count);
                done.ForEach(one => one());
                Begin();
            });
        }
    }

    private void Counted(int change)
    {
        _area += Count * (line.Now - _since);
        _since = line.Now;
        Count += change;
    }
}
