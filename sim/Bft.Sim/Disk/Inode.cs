namespace Bft.Sim;

/// <summary>A file of a <see cref="SimulatedDisk"/>: its bytes in the page cache, and those on the platter.</summary>
internal sealed class Inode
{
    private readonly Lock _lock = new();
    private readonly SortedSet<int> _dirty = []; // sectors
    private byte[] _cached = [];
    private byte[] _durable = [];
    private bool _isLengthDirty;

    public int Length { get; private set; }

    private int DurableLength { get; set; }

    public static Inode Of(byte[] bytes) =>
        new() { _cached = [.. bytes], _durable = [.. bytes], Length = bytes.Length, DurableLength = bytes.Length };

    public Inode Clone()
    {
        Inode clone = new()
        {
            _cached = [.. _cached],
            _durable = [.. _durable],
            Length = Length,
            DurableLength = DurableLength,
            _isLengthDirty = _isLengthDirty,
        };
        clone._dirty.UnionWith(_dirty);
        return clone;
    }

    public byte[] Read() => _cached[..Length];

    public int Read(long offset, Span<byte> destination)
    {
        lock (_lock)
        {
            int count = (int)Math.Clamp(Length - offset, 0, destination.Length);
            _cached.AsSpan((int)Math.Min(offset, Length), count).CopyTo(destination);
            return count;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            int end = (int)offset + bytes.Length;
            Grow(ref _cached, end);
            bytes.CopyTo(_cached.AsSpan((int)offset));
            for (int sector = (int)offset / SimulatedDisk.SectorBytes; sector * SimulatedDisk.SectorBytes < end; sector++)
            {
                _dirty.Add(sector);
            }

            _isLengthDirty |= end > Length;
            Length = Math.Max(Length, end);
        }
    }

    public void Truncate(int length)
    {
        lock (_lock)
        {
            Grow(ref _cached, length);
            _cached.AsSpan(length).Clear();
            for (int sector = length / SimulatedDisk.SectorBytes; sector * SimulatedDisk.SectorBytes < Length; sector++)
            {
                _dirty.Add(sector);
            }

            Length = length;
            _isLengthDirty = true;
        }
    }

    public void Flush()
    {
        foreach (int sector in _dirty)
        {
            Keep(sector, SimulatedDisk.SectorBytes);
        }

        DurableLength = Length;
        Forget();
    }

    /// <summary>Takes all pages for clean, written or not.</summary>
    public void Forget()
    {
        _dirty.Clear();
        _isLengthDirty = false;
    }

    public void Crash(UnflushedFate fate, ref Lot lot)
    {
        foreach (int sector in _dirty)
        {
            int bytes = fate switch
            {
                UnflushedFate.Lost => 0,
                UnflushedFate.Kept => SimulatedDisk.SectorBytes,
                _ => lot.Below(5) switch { < 2 => 0, < 4 => SimulatedDisk.SectorBytes, _ => lot.Below(SimulatedDisk.SectorBytes) },
            };
            Keep(sector, bytes);
        }

        if (_isLengthDirty && (fate == UnflushedFate.Kept || (fate == UnflushedFate.Mixed && lot.Below(2) == 0)))
        {
            DurableLength = Length;
        }

        Grow(ref _durable, DurableLength);
        _durable.AsSpan(DurableLength).Clear();
        _cached = [.. _durable];
        Length = DurableLength;
        Forget();
    }

    private static void Grow(ref byte[] bytes, int length)
    {
        if (bytes.Length < length)
        {
            Array.Resize(ref bytes, Math.Max(length, 2 * bytes.Length));
        }
    }

    private void Keep(int sector, int count)
    {
        int start = sector * SimulatedDisk.SectorBytes;
        Grow(ref _durable, start + count);
        Grow(ref _cached, start + count);
        _cached.AsSpan(start, count).CopyTo(_durable.AsSpan(start));
    }
}
