namespace Bft.Storage;

/// <summary>Writes blocks, each durable when the call returns. One call at a time.</summary>
internal sealed class SegmentWriter(IDisk disk, long segmentBytes) : IDisposable
{
    private IDiskFile? _file;
    private long _end;

    /// <summary>Writes a block behind the last one, or at offset 0 of a new segment, and flushes it.</summary>
    public void Write(long segment, long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        bool startsSegment = offset == 0;
        if (startsSegment)
        {
            // What the last segment reserved and did not use is given back. It needs no flush: opening would do it again.
            _file?.Truncate(_end);
            _file?.Dispose();
            _file = null;
            _file = disk.Create(SegmentName.Of(segment), segmentBytes);
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

        _end = offset + pieces.Sum(piece => (long)piece.Length);
    }

    public void Dispose() => _file?.Dispose();
}
