namespace Bft.Sim;

/// <summary>A file of a <see cref="SimulatedDisk"/>: its sectors in the page cache, and those on the platter.</summary>
/// <remarks>A clean sector is one array for both; a write makes the cache's own copy. Sectors never written are null, and zeros.</remarks>
internal sealed class Inode
{
    private const int SectorBytes = SimulatedDisk.SectorBytes;

    private readonly Lock _lock = new();
    private readonly SortedSet<int> _dirty = []; // sectors that the cache has a copy of its own of
    private readonly List<byte[]?> _cached = [];
    private readonly List<byte[]?> _durable = [];
    private bool _isLengthDirty;
    private bool _isForgotten;

    public int Length { get; private set; }

    /// <summary>What is cached is what is on the platter.</summary>
    public bool IsDurable => _dirty.Count == 0 && !_isLengthDirty && !_isForgotten;

    private int DurableLength { get; set; }

    public static Inode Of(byte[] bytes)
    {
        Inode inode = new();
        inode.Write(0, bytes);
        inode.Flush();
        return inode;
    }

    public Inode Clone()
    {
        Inode clone = new() { Length = Length, DurableLength = DurableLength, _isLengthDirty = _isLengthDirty };

        // Sectors are never changed in place once they are durable; dirty ones are copied.
        clone._cached.AddRange(_cached);
        clone._durable.AddRange(_durable);
        foreach (int sector in _dirty)
        {
            clone._cached[sector] = (byte[]?)_cached[sector]?.Clone();
            clone._dirty.Add(sector);
        }

        return clone;
    }

    public byte[] Read()
    {
        byte[] bytes = new byte[Length];
        Read(0, bytes);
        return bytes;
    }

    public int Read(long offset, Span<byte> destination)
    {
        lock (_lock)
        {
            int count = (int)Math.Clamp(Length - offset, 0, destination.Length);
            for (int done = 0; done < count;)
            {
                (int sector, int within) = Math.DivRem((int)offset + done, SectorBytes);
                int part = Math.Min(SectorBytes - within, count - done);
                Span<byte> to = destination.Slice(done, part);
                if (sector < _cached.Count && _cached[sector] is { } bytes)
                {
                    bytes.AsSpan(within, part).CopyTo(to);
                }
                else
                {
                    to.Clear();
                }

                done += part;
            }

            return count;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            int end = (int)offset + bytes.Length;
            for (int at = (int)offset; at < end;)
            {
                (int sector, int within) = Math.DivRem(at, SectorBytes);
                int part = Math.Min(SectorBytes - within, end - at);
                bytes.Slice(at - (int)offset, part).CopyTo(Own(sector).AsSpan(within));
                at += part;
            }

            _isLengthDirty |= end > Length;
            Length = Math.Max(Length, end);
        }
    }

    public void Truncate(int length)
    {
        lock (_lock)
        {
            if (length == Length)
            {
                // Only what was reserved is given back.
                return;
            }

            for (int sector = length / SectorBytes; sector * SectorBytes < Length; sector++)
            {
                Own(sector).AsSpan(Math.Max(0, length - (sector * SectorBytes))).Clear();
            }

            Length = length;
            _isLengthDirty = true;
        }
    }

    public void Flush()
    {
        foreach (int sector in _dirty)
        {
            Keep(sector);
        }

        DurableLength = Length;
        Clean();
    }

    /// <summary>Takes all pages for clean, written or not: later writes make copies again, and what was not written is lost in a crash.</summary>
    public void Forget()
    {
        _isForgotten |= !IsDurable;
        Clean();
    }

    public void Crash(UnflushedFate fate, ref Lot lot)
    {
        foreach (int sector in _dirty)
        {
            int kept = fate switch
            {
                UnflushedFate.Lost => 0,
                UnflushedFate.Kept => SectorBytes,
                _ => lot.Below(5) switch { < 2 => 0, < 4 => SectorBytes, _ => lot.Below(SectorBytes) },
            };
            Keep(sector, kept);
        }

        if (_isLengthDirty && (fate == UnflushedFate.Kept || (fate == UnflushedFate.Mixed && lot.Below(2) == 0)))
        {
            DurableLength = Length;
        }

        CutDurable();
        _cached.Clear();
        _cached.AddRange(_durable);
        Length = DurableLength;
        _isForgotten = false;
        Clean();
    }

    private void Clean()
    {
        _dirty.Clear();
        _isLengthDirty = false;
    }

    /// <summary>The cache's own copy of a sector.</summary>
    private byte[] Own(int sector)
    {
        Reach(_cached, sector);
        if (_dirty.Add(sector))
        {
            _cached[sector] = (byte[]?)_cached[sector]?.Clone() ?? new byte[SectorBytes];
        }

        return _cached[sector]!;
    }

    private void Keep(int sector, int count = SectorBytes)
    {
        if (count == 0)
        {
            return;
        }

        Reach(_durable, sector);
        if (count == SectorBytes)
        {
            _durable[sector] = _cached[sector];
            return;
        }

        byte[] torn = (byte[]?)_durable[sector]?.Clone() ?? new byte[SectorBytes];
        _cached[sector].AsSpan(0, count).CopyTo(torn);
        _durable[sector] = torn;
    }

    /// <summary>Behind the durable length nothing is left.</summary>
    private void CutDurable()
    {
        int whole = (DurableLength + SectorBytes - 1) / SectorBytes;
        if (_durable.Count > whole)
        {
            _durable.RemoveRange(whole, _durable.Count - whole);
        }

        int tail = DurableLength % SectorBytes;
        if (tail > 0 && _durable.Count == whole && _durable[^1] is { } last)
        {
            byte[] cut = (byte[])last.Clone();
            cut.AsSpan(tail).Clear();
            _durable[^1] = cut;
        }
    }

    private static void Reach(List<byte[]?> sectors, int sector)
    {
        while (sectors.Count <= sector)
        {
            sectors.Add(null);
        }
    }
}
