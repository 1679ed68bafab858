namespace Bft.Storage.Tests;

/// <summary>Counts what is read.</summary>
internal sealed class CountingDisk(IDisk disk) : IDisk
{
    public long BytesRead { get; private set; }

    public int FilesOpened { get; private set; }

    public IReadOnlyList<string> List() => disk.List();

    public IDiskFile Open(string name)
    {
        FilesOpened++;
        return new CountingFile(this, disk.Open(name));
    }

    public IDiskFile Create(string name, long preallocatedBytes = 0) => new CountingFile(this, disk.Create(name, preallocatedBytes));

    public void Delete(string name) => disk.Delete(name);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void FlushDirectory() => disk.FlushDirectory();

    private sealed class CountingFile(CountingDisk counter, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> destination)
        {
            int read = file.Read(offset, destination);
            counter.BytesRead += read;
            return read;
        }

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces) => file.Write(offset, pieces);

        public void Flush() => file.Flush();

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
