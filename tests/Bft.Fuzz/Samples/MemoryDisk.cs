using Bft.Storage;

namespace Bft.Fuzz.Samples;

/// <summary>A directory in memory, where all is durable at once.</summary>
internal sealed class MemoryDisk : IDisk
{
    private const int NotFound = 2;
    private const int Exists = 17;

    /// <summary>No write of these decoders goes far beyond what they read; one that does would only measure this disk. Unit: bytes.</summary>
    private const long LengthMax = 64L << 20;

    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    public byte[] this[string name]
    {
        get => _files[name];
        set => _files[name] = value;
    }

    public IReadOnlyList<string> List() => [.. _files.Keys];

    public IDiskFile Open(string name) => _files.ContainsKey(name) ? new MemoryFile(this, name) : throw new DiskException(name, "open", NotFound);

    public IDiskFile Create(string name, long preallocatedBytes = 0) =>
        _files.TryAdd(name, []) ? new MemoryFile(this, name) : throw new DiskException(name, "create", Exists);

    public void Delete(string name)
    {
        if (!_files.Remove(name))
        {
            throw new DiskException(name, "unlink", NotFound);
        }
    }

    public void Rename(string from, string to)
    {
        byte[] bytes = _files.TryGetValue(from, out byte[]? found) ? found : throw new DiskException(from, "rename", NotFound);
        _files.Remove(from);
        _files[to] = bytes;
    }

    public void FlushDirectory()
    {
    }

    private sealed class MemoryFile(MemoryDisk disk, string name) : IDiskFile
    {
        public long Length => Bytes.Length;

        private byte[] Bytes => disk._files.GetValueOrDefault(name, []);

        public int Read(long offset, Span<byte> destination)
        {
            int count = (int)Math.Clamp(Bytes.Length - offset, 0, destination.Length);
            Bytes.AsSpan(count == 0 ? 0 : (int)offset, count).CopyTo(destination);
            return count;
        }

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
        {
            long end = offset + pieces.Sum(piece => (long)piece.Length);
            OracleException.Require(end <= LengthMax, $"A write reaches to byte {end}.");
            byte[] bytes = Bytes;
            Array.Resize(ref bytes, (int)Math.Max(bytes.Length, end));
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                piece.CopyTo(bytes.AsMemory((int)offset));
                offset += piece.Length;
            }

            disk._files[name] = bytes;
        }

        public void Flush()
        {
        }

        public void Truncate(long length)
        {
            byte[] bytes = Bytes;
            Array.Resize(ref bytes, (int)length);
            disk._files[name] = bytes;
        }

        public void Dispose()
        {
        }
    }
}
