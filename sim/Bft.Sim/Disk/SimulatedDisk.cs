using Bft.Storage;

namespace Bft.Sim;

/// <summary>What becomes of each sector, length and name that was not flushed when the power goes.</summary>
public enum UnflushedFate
{
    /// <summary>As if never written.</summary>
    Lost,

    /// <summary>As if flushed; what a killed process leaves behind.</summary>
    Kept,

    /// <summary>By lot, each for itself; a sector may also be torn in the middle.</summary>
    Mixed,
}

/// <summary>A power cut that the plan of a <see cref="SimulatedDisk"/> called for. No program catches it.</summary>
public sealed class PowerCutException() : Exception("The power went.");

/// <summary>A directory in memory with a page cache in front: what is written reads back, and is gone in a crash unless it was flushed.</summary>
/// <remarks>One seed, one outcome. Names and contents become durable apart, as POSIX has it.</remarks>
public sealed class SimulatedDisk : IDisk
{
    public const int SectorBytes = 512;
    private const int NoSpace = 28;
    private const int InputOutput = 5;

    private readonly Dictionary<string, Inode> _cached = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Inode> _durable = new(StringComparer.Ordinal);

    /// <value>Write, flush, create, delete, rename and truncate calls so far.</value>
    public int Operations { get; private set; }

    /// <value>The operation before which the power goes, counted as in <see cref="Operations"/>; never by default.</value>
    public int PowerCutAt { get; set; } = int.MaxValue;

    /// <value>The operation that fails with EIO. A flush that fails leaves its pages readable and clean, as Linux does.</value>
    public int FailAt { get; set; } = int.MaxValue;

    /// <value>Bytes of all files together; beyond, writes fail with ENOSPC. Unlimited by default.</value>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <value>Takes one line per operation, for tests of order; null by default.</value>
    public ICollection<string>? Trace { get; init; }

    /// <value>All files together. Unit: bytes.</value>
    public long Bytes => BytesWithout(null);

    /// <value>A crash now would lose nothing that is written: no unflushed sector, length or new name, and no flush that failed since the last crash.</value>
    public bool IsDurable
    {
        get
        {
            foreach ((string name, Inode inode) in _cached)
            {
                if (!inode.IsDurable || _durable.GetValueOrDefault(name) != inode)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Flips one bit of one file, of something that was written: most of a journal is padding, where damage does no harm.</summary>
    public void FlipBit(ref Lot lot)
    {
        if (NameToDamage(1, ref lot) is { } name)
        {
            byte[] bytes = this[name];
            bytes[Written(bytes, lot.Below(bytes.Length))] ^= (byte)(1 << lot.Below(8));
            this[name] = bytes;
        }
    }

    /// <summary>Flips one bit of a stretch of a file.</summary>
    public void FlipBit(string name, long offset, int length, ref Lot lot)
    {
        byte[] bytes = this[name];
        bytes[offset + lot.Below(length)] ^= (byte)(1 << lot.Below(8));
        this[name] = bytes;
    }

    /// <summary>Writes a copy of one sector over another of the same file.</summary>
    public void Misdirect(ref Lot lot)
    {
        if (NameToDamage(2 * SectorBytes, ref lot) is { } name)
        {
            byte[] bytes = this[name];
            int sectors = bytes.Length / SectorBytes;
            int to = Math.Min(sectors - 1, Written(bytes, lot.Below(bytes.Length)) / SectorBytes);
            bytes.AsSpan(lot.Below(sectors) * SectorBytes, SectorBytes).ToArray().CopyTo(bytes, to * SectorBytes);
            this[name] = bytes;
        }
    }

    /// <summary>Cuts the power, and switches it on again.</summary>
    public void Crash(UnflushedFate fate, int seed = 0)
    {
        Lot lot = new(unchecked((ulong)seed), new ChoiceId(ChoiceStream.Disk, 0, 0));
        Crash(fate, ref lot);
    }

    /// <inheritdoc cref="Crash(UnflushedFate, int)"/>
    public void Crash(UnflushedFate fate, ref Lot lot)
    {
        PowerCutAt = int.MaxValue;
        FailAt = int.MaxValue;
        Inode[] inodes = [.. _cached.Concat(_durable).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value).Distinct()];
        foreach (Inode inode in inodes)
        {
            inode.Crash(fate, ref lot);
        }

        foreach (string name in _cached.Keys.Concat(_durable.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray())
        {
            if (fate == UnflushedFate.Kept || (fate == UnflushedFate.Mixed && lot.Below(2) == 0))
            {
                Set(_durable, name, _cached.GetValueOrDefault(name));
            }
            else
            {
                Set(_cached, name, _durable.GetValueOrDefault(name));
            }
        }
    }

    /// <summary>A copy of this disk, unflushed state included, to try several fates on.</summary>
    public SimulatedDisk Clone()
    {
        SimulatedDisk clone = new() { CapacityBytes = CapacityBytes };
        Dictionary<Inode, Inode> copies = [];
        Inode CopyOf(Inode inode) => copies.TryGetValue(inode, out Inode? copy) ? copy : copies[inode] = inode.Clone();
        foreach ((string name, Inode inode) in _cached)
        {
            clone._cached[name] = CopyOf(inode);
        }

        foreach ((string name, Inode inode) in _durable)
        {
            clone._durable[name] = CopyOf(inode);
        }

        return clone;
    }

    /// <summary>A file's bytes, as a damaged disk would return them. Durable at once.</summary>
    public byte[] this[string name]
    {
        get => _cached[name].Read();
        set
        {
            if (_cached.TryGetValue(name, out Inode? inode))
            {
                // Open handles see it too.
                inode.Truncate(value.Length);
                inode.Write(0, value);
                inode.Flush();
            }
            else
            {
                _cached[name] = inode = Inode.Of(value);
            }

            _durable[name] = inode;
        }
    }

    public IReadOnlyList<string> List()
    {
        string[] names = [.. _cached.Keys];
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    public IDiskFile Open(string name) => new OpenFile(this, name, Find(name, "open"));

    public IDiskFile Create(string name, long preallocatedBytes = 0)
    {
        Count("create", name);
        Inode inode = new();
        return _cached.TryAdd(name, inode) ? new OpenFile(this, name, inode) : throw new DiskException(name, "open", 17);
    }

    public void Delete(string name)
    {
        Count("delete", name);
        Find(name, "unlink");
        _cached.Remove(name);
    }

    public void Rename(string from, string to)
    {
        Count("rename", from);
        _cached[to] = Find(from, "rename");
        _cached.Remove(from);
    }

    public void FlushDirectory()
    {
        Count("flush", ".");
        _durable.Clear();
        foreach ((string name, Inode inode) in _cached)
        {
            _durable.Add(name, inode);
        }
    }

    /// <summary>Any file of a length, but as often as not the newest, which is the one that is read back to its end.</summary>
    private string? NameToDamage(int length, ref Lot lot)
    {
        string[] names = [.. _cached.Where(pair => pair.Value.Length >= length).Select(pair => pair.Key).Order(StringComparer.Ordinal)];
        return names.Length == 0 ? null : lot.Below(2) == 0 ? names[^1] : lot.Of(names);
    }

    /// <summary>The first byte from here on, once around, that is not zero; here when there is none.</summary>
    private static int Written(byte[] bytes, int from)
    {
        int behind = bytes.AsSpan(from).IndexOfAnyExcept((byte)0);
        int before = bytes.AsSpan(0, from).IndexOfAnyExcept((byte)0);
        return behind >= 0 ? from + behind : Math.Max(before, 0);
    }

    private long BytesWithout(Inode? inode) => _cached.Values.Distinct().Where(other => other != inode).Sum(other => (long)other.Length);

    private static void Set(Dictionary<string, Inode> names, string name, Inode? inode)
    {
        names.Remove(name);
        if (inode is not null)
        {
            names.Add(name, inode);
        }
    }

    private Inode Find(string name, string operation) => _cached.GetValueOrDefault(name) ?? throw new DiskException(name, operation, 2);

    private void Count(string operation, string name)
    {
        if (Operations >= PowerCutAt)
        {
            throw new PowerCutException();
        }

        Trace?.Add($"{operation} {name}");
        if (Operations++ == FailAt)
        {
            if (operation == "flush" && _cached.TryGetValue(name, out Inode? inode))
            {
                inode.Forget();
            }

            throw new DiskException(name, operation, InputOutput);
        }
    }

    private sealed class OpenFile(SimulatedDisk disk, string name, Inode inode) : IDiskFile
    {
        public long Length => inode.Length;

        public int Read(long offset, Span<byte> destination) => inode.Read(offset, destination);

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
        {
            disk.Count("write", name);
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                if (disk.CapacityBytes < long.MaxValue && disk.BytesWithout(inode) + offset + piece.Length > disk.CapacityBytes)
                {
                    throw new DiskException(name, "pwritev", NoSpace);
                }

                inode.Write(offset, piece.Span);
                offset += piece.Length;
            }
        }

        public void Flush()
        {
            disk.Count("flush", name);
            inode.Flush();
        }

        public void Truncate(long length)
        {
            disk.Count("truncate", name);
            inode.Truncate((int)length);
        }

        public void Dispose()
        {
        }
    }
}
