namespace Bft.Node;

/// <summary>Body bytes of one connection that arrived and that no call has taken, by stream.</summary>
internal sealed class Unread(int streamsMax)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, long> _streams = []; // bound: streamsMax
    private long _bytes;
    private int _highestBegun;
    private bool _isClosed;

    /// <summary>Unit: bytes.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>A request is served.</summary>
    public void Begin(int stream)
    {
        lock (_lock)
        {
            _highestBegun = Math.Max(_highestBegun, stream);
            if (!_isClosed)
            {
                _streams.TryAdd(stream, 0);
            }
        }
    }

    /// <returns>What it adds; 0 for a stream that has ended, whose rest is dropped as it comes. Null when there are too many streams.</returns>
    public long? Add(int stream, int bytes)
    {
        lock (_lock)
        {
            if (!_streams.TryGetValue(stream, out long unread))
            {
                if (_isClosed || stream <= _highestBegun)
                {
                    return 0;
                }

                if (_streams.Count >= streamsMax)
                {
                    return null;
                }
            }

            _streams[stream] = unread + bytes;
            _bytes += bytes;
            return bytes;
        }
    }

    /// <returns>What it gives back.</returns>
    public long Take(int stream, long bytes)
    {
        lock (_lock)
        {
            long taken = Math.Min(bytes, _streams.GetValueOrDefault(stream));
            if (taken > 0)
            {
                _streams[stream] -= taken;
                _bytes -= taken;
            }

            return taken;
        }
    }

    /// <summary>Nobody reads the stream any more.</summary>
    /// <returns>What it gives back.</returns>
    public long End(int stream)
    {
        lock (_lock)
        {
            _streams.Remove(stream, out long unread);
            _bytes -= unread;
            return unread;
        }
    }

    /// <summary>The connection is over.</summary>
    /// <returns>What it gives back.</returns>
    public long Close()
    {
        lock (_lock)
        {
            long bytes = _bytes;
            _streams.Clear();
            _bytes = 0;
            _isClosed = true;
            return bytes;
        }
    }
}
