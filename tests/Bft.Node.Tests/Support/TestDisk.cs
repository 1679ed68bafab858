using Bft.Storage;

namespace Bft.Node.Tests.Support;

/// <summary>The real disk, whose flushes a test can hold up or let fail.</summary>
internal sealed class TestDisk(string directory) : IDisk, IDisposable
{
    private const int NoSpace = 28;
    private readonly FileDisk _disk = FileDisk.At(directory);
    private readonly SemaphoreSlim _gate = new(1);
    private TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isHolding;

    /// <summary>Every flush from now on fails.</summary>
    public bool IsBroken { get; set; }

    /// <summary>A flush waits.</summary>
    public Task Held => _held.Task.WaitAsync(LocalCluster.Patience);

    /// <summary>Every flush from now on waits.</summary>
    public void Hold()
    {
        _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _gate.Wait();
        _isHolding = true;
    }

    public void Release()
    {
        _isHolding = false;
        _gate.Release();
    }

    public IReadOnlyList<string> List() => _disk.List();

    public IDiskFile Open(string name) => new File(this, _disk.Open(name));

    public IDiskFile Create(string name, long preallocatedBytes = 0) => new File(this, _disk.Create(name, preallocatedBytes));

    public void Delete(string name) => _disk.Delete(name);

    public void Rename(string from, string to) => _disk.Rename(from, to);

    public void FlushDirectory() => _disk.FlushDirectory();

    public void Dispose() => _gate.Dispose();

    private void BeforeFlush()
    {
        if (_isHolding)
        {
            _held.TrySetResult();
        }

        _gate.Wait();
        _gate.Release();
        if (IsBroken)
        {
            throw new DiskException(_disk.Directory, "fdatasync", NoSpace);
        }
    }

    private sealed class File(TestDisk disk, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces) => file.Write(offset, pieces);

        public void Flush()
        {
            disk.BeforeFlush();
            file.Flush();
        }

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
