namespace Bft.Storage;

/// <summary>Writes blocks, each durable when the call returns. One call at a time.</summary>
/// <remarks>
/// What lies more than <c>cachedBytes</c> behind is forgotten by the page cache: its pages are then the next that are written, where a
/// journal that only grows takes a new page for every 4 KiB, and in a virtual machine that returns free memory to its host each costs a
/// fault there (measured: 2.8 ns a byte instead of 0.4).
/// </remarks>
internal sealed class SegmentWriter(IDisk disk, long segmentBytes, long cachedBytes) : IDisposable
{
    private const long ForgetStep = 4L << 20; // three system calls for each commit would be too many

    private readonly Queue<(long Segment, long End)> _before = new(); // not yet forgotten; bound: cachedBytes and a segment
    private IDiskFile? _file;
    private long _segment;
    private long _end;
    private long _behind;    // bytes written and not forgotten
    private long _forgotten; // of the oldest that is not forgotten as a whole

    /// <summary>Writes a block behind the last one, or at offset 0 of a new segment, and flushes it.</summary>
    public void Write(long segment, long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        bool startsSegment = offset == 0;
        if (startsSegment)
        {
            Begin(segment);
        }

        _file!.Write(offset, pieces);
#if PLANTED
        try
        {
            _file.Flush();
        }
        catch (DiskException) when (Crypto.Planted.Is("flush-error-ignored"))
        {
        }
#else
        _file.Flush();
#endif
        if (startsSegment)
        {
            disk.FlushDirectory();
        }

        long written = pieces.Sum(piece => (long)piece.Length);
        _end = offset + written;
        _behind += written;
        if (_behind >= cachedBytes + ForgetStep)
        {
            Forget(_behind - cachedBytes);
        }
    }

    public void Dispose() => _file?.Dispose();

    private void Begin(long segment)
    {
        if (_file is not null)
        {
            // What the last segment reserved and did not use is given back. It needs no flush: opening would do it again.
            _file.Truncate(_end);
            _file.Dispose();
            _before.Enqueue((_segment, _end));
        }

        _file = null;
        _file = disk.Create(SegmentName.Of(segment), segmentBytes);
        _segment = segment;
        _end = 0;
    }

    private void Forget(long bytes)
    {
        _behind -= bytes;
        while (bytes > 0)
        {
            (long segment, long end) = _before.TryPeek(out (long Segment, long End) before) ? before : (_segment, _end);
            long length = Math.Min(bytes, end - _forgotten);
            Forget(segment, length);
            bytes -= length;
            _forgotten += length;
            if (_forgotten == end && segment != _segment)
            {
                _before.Dequeue();
                _forgotten = 0;
            }
        }
    }

    /// <summary>No file is kept open for it: one that retention deletes would keep its space.</summary>
    private void Forget(long segment, long length)
    {
        if (segment == _segment)
        {
            _file!.Forget(_forgotten, length);
            return;
        }

        try
        {
            using IDiskFile file = disk.Open(SegmentName.Of(segment));
            file.Forget(_forgotten, length);
        }
        catch (DiskException)
        {
            // Deleted; and what is not forgotten costs memory that the system can take back.
        }
    }
}
