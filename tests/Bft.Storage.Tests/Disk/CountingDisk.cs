namespace Bft.Storage.Tests;

/// <summary>Counts what is read, and what is forgotten.</summary>
internal sealed class CountingDisk(IDisk disk) : IDisk
{
    public long BytesRead { get; private set; }

    public int FilesOpened { get; private set; }

    /// <summary>Per file, the end of what was forgotten from its start on without a gap.</summary>
    public Dictionary<string, long> Forgotten { get; } = new(StringComparer.Ordinal);

    private readonly Dictionary<string, long> _durable = new(StringComparer.Ordinal);

    public IReadOnlyList<string> List() => disk.List();

    public IDiskFile Open(string name)
    {
        FilesOpened++;
        return new CountingFile(this, name, disk.Open(name));
    }

    public IDiskFile Create(string name, long preallocatedBytes = 0) => new CountingFile(this, name, disk.Create(name, preallocatedBytes));

    public void Delete(string name) => disk.Delete(name);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void FlushDirectory() => disk.FlushDirectory();

    private sealed class CountingFile(CountingDisk counter, string name, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> destination)
        {
            int read = file.Read(offset, destination);
            counter.BytesRead += read;
            return read;
        }

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces) => file.Write(offset, pieces);

        public void Flush()
        {
            file.Flush();
            counter._durable[name] = Length;
        }

        public void Forget(long offset, long length)
        {
            Assert.Equal(counter.Forgotten.GetValueOrDefault(name), offset);
            Assert.InRange(offset + length, offset, counter._durable[name]);
            counter.Forgotten[name] = offset + length;
            file.Forget(offset, length);
        }

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
