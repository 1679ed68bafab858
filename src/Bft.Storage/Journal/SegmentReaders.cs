namespace Bft.Storage;

/// <summary>Open segments for readers on any thread; at most <see cref="OpenMax"/>, so that a long journal does not use up file descriptors.</summary>
internal sealed class SegmentReaders(IDisk disk) : IDisposable
{
    private const int OpenMax = 128;
    private readonly Lock _lock = new();
    private readonly Dictionary<long, IDiskFile> _open = []; // bound: OpenMax
    private readonly Queue<long> _oldest = new();

    /// <exception cref="DiskException">No such segment, or it cannot be opened.</exception>
    public int Read(long segment, long offset, Span<byte> destination)
    {
        while (true)
        {
            try
            {
                return Get(segment).Read(offset, destination);
            }
            catch (ObjectDisposedException)
            {
                // Another reader's segment took its place between Get and Read: open it again.
            }
        }
    }

    public void Close(long segment)
    {
        lock (_lock)
        {
            if (_open.Remove(segment, out IDiskFile? file))
            {
                file.Dispose();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (IDiskFile file in _open.Values)
            {
                file.Dispose();
            }

            _open.Clear();
            _oldest.Clear();
        }
    }

    private IDiskFile Get(long segment)
    {
        lock (_lock)
        {
            if (_open.TryGetValue(segment, out IDiskFile? file))
            {
                return file;
            }

            while (_oldest.Count >= OpenMax)
            {
                Close(_oldest.Dequeue());
            }

            file = disk.Open(SegmentName.Of(segment));
            _open.Add(segment, file);
            _oldest.Enqueue(segment);
            return file;
        }
    }
}
