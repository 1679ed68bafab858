namespace Bft.Node;

/// <summary>Who misbehaved, how much and lately; too much of it is a ban, each twice as long as the one before.</summary>
/// <remarks>Offences fade by half in <see cref="EdgeLimits.OffenceHalfLife"/>, and a ban's length is forgiven step by step. Thread-safe.</remarks>
internal sealed class Bans<TKey>(EdgeLimits limits)
    where TKey : notnull, IEquatable<TKey>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _entries = []; // bound: BanEntriesMax; who offended longest ago is forgotten first
    private readonly LinkedList<Entry> _byOffence = [];

    /// <param name="key">Who did it.</param>
    /// <param name="weight">See <see cref="Offence"/>.</param>
    /// <param name="nowMs">Any clock that only rises. Unit: ms.</param>
    /// <returns>For how long it is banned by this; null when it is not, or was already.</returns>
    public TimeSpan? Offend(TKey key, double weight, long nowMs)
    {
        lock (_lock)
        {
            Entry entry = EntryOf(key, nowMs);
            entry.Score = (entry.Score * Math.Pow(0.5, (nowMs - entry.AtMs) / limits.OffenceHalfLife.TotalMilliseconds)) + weight;
            entry.AtMs = nowMs;
            if (entry.Score < limits.OffencesMax || nowMs < entry.UntilMs)
            {
                return null;
            }

            int forgiven = (int)((nowMs - entry.UntilMs) / limits.BanForgivenAfter.TotalMilliseconds);
            entry.Level = entry.IsNew ? 0 : Math.Max(0, entry.Level - forgiven);
            TimeSpan length = TimeSpan.FromMilliseconds(Math.Min(limits.BanMax.TotalMilliseconds, limits.BanMin.TotalMilliseconds * Math.Pow(2, entry.Level)));
            entry.IsNew = false;
            entry.Level++;
            entry.Score = 0;
            entry.UntilMs = nowMs + (long)length.TotalMilliseconds;
            return length;
        }
    }

    /// <returns>How long the ban lasts yet; zero when there is none.</returns>
    public TimeSpan Remaining(TKey key, long nowMs)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(key, out LinkedListNode<Entry>? node) && node.Value.UntilMs > nowMs
                ? TimeSpan.FromMilliseconds(node.Value.UntilMs - nowMs)
                : TimeSpan.Zero;
        }
    }

    /// <summary>Not banned; or banned, and the next one of the few that are let in all the same.</summary>
    public bool MayEnter(TKey key, long nowMs)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out LinkedListNode<Entry>? node) || node.Value.UntilMs <= nowMs)
            {
                return true;
            }

            if (nowMs < node.Value.LaneAtMs)
            {
                return false;
            }

            node.Value.LaneAtMs = nowMs + (1000 / limits.BannedEntriesPerSecond);
            return true;
        }
    }

    private Entry EntryOf(TKey key, long nowMs)
    {
        if (_entries.TryGetValue(key, out LinkedListNode<Entry>? node))
        {
            _byOffence.Remove(node);
            _byOffence.AddLast(node);
            return node.Value;
        }

        if (_entries.Count >= limits.BanEntriesMax)
        {
            _entries.Remove(_byOffence.First!.Value.Key);
            _byOffence.RemoveFirst();
        }

        Entry entry = new(key) { AtMs = nowMs };
        _entries.Add(key, _byOffence.AddLast(entry));
        return entry;
    }

    private sealed class Entry(TKey key)
    {
        public TKey Key { get; } = key;

        public double Score { get; set; }

        public long AtMs { get; set; }

        public long UntilMs { get; set; }

        public long LaneAtMs { get; set; }

        public int Level { get; set; }

        public bool IsNew { get; set; } = true;
    }
}

/// <summary>What an offence weighs; <see cref="EdgeLimits.OffencesMax"/> together are a ban.</summary>
internal static class Offence
{
    /// <summary>A client that was struck off, or is not known yet, asks again and again; that is no crime.</summary>
    public const double UnknownKey = 0.25;

    /// <summary>No TLS came about, or no hello in time: port scans, health checks of a load balancer, slow links do that too.</summary>
    public const double Unfinished = 0.25;

    /// <summary>A message that stays unfinished.</summary>
    public const double Overdue = 5;

    /// <summary>What no client sends, by chance or in error: a hello for somebody else, a frame that cannot be read, a flood.</summary>
    public const double Hostile = 10;
}
