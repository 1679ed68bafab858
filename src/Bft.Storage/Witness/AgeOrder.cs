namespace Bft.Storage;

/// <summary>Streams by the time at which the oldest was stored that may be cut of them. A stream stands here once at most, and no later than it should: what is cut only makes it younger.</summary>
/// <param name="bit">Of <see cref="StreamLog.Orders"/>, which says that a stream stands here.</param>
internal sealed class AgeOrder(byte bit)
{
    private static readonly Comparer<(long StoredAt, StreamLog Log)> ByAge = Comparer<(long StoredAt, StreamLog Log)>.Create(static (left, right) =>
        left.StoredAt != right.StoredAt ? left.StoredAt.CompareTo(right.StoredAt) : left.Log.Header.Id.CompareTo(right.Log.Header.Id));

    private readonly PriorityQueue<byte, (long StoredAt, StreamLog Log)> _streams = new(ByAge); // bound: the topic's streams

    /// <summary>The first one, and where it stands; equal times: by id.</summary>
    public (StreamLog Log, long StoredAt)? Oldest => _streams.TryPeek(out _, out (long StoredAt, StreamLog Log) first) ? (first.Log, first.StoredAt) : null;

    /// <param name="log">Stands here already, or gets its place.</param>
    /// <param name="storedAt">Null when nothing may be cut of it.</param>
    public void Add(StreamLog log, long? storedAt)
    {
        if (storedAt is { } at && (log.Orders & bit) == 0)
        {
            log.Orders |= bit;
            _streams.Enqueue(0, (at, log));
        }
    }

    /// <summary>Gives the first one another place.</summary>
    /// <param name="storedAt">Null: none.</param>
    public void MoveOldest(long? storedAt)
    {
        StreamLog log = Oldest!.Value.Log;
        _streams.Dequeue();
        log.Orders ^= bit;
        Add(log, storedAt);
    }
}
