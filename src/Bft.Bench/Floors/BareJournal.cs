using Bft.Storage;

namespace Bft.Bench.Floors;

/// <summary>A journal with nothing but bytes in it: no heads, checksums or index. Its files are reserved and flushed as a witness's are; only the current one is kept. One thread at a time.</summary>
/// <param name="directory">For its files alone.</param>
/// <param name="flushesPerWrite">How many flushes a write is followed by, on average.</param>
internal sealed class BareJournal(string directory, double flushesPerWrite) : IDisposable
{
    private const long FileBytes = 64L << 20; // as JournalOptions.SegmentBytes

    private readonly FileDisk _disk = FileDisk.At(directory);
    private readonly ReadOnlyMemory<byte>[] _pieces = new ReadOnlyMemory<byte>[1];
    private IDiskFile? _file;
    private string? _name;
    private long _offset;
    private double _owed;

    /// <summary>Writes bytes behind the last ones, and flushes when it is time to.</summary>
    /// <returns>All that was written is durable.</returns>
    public bool Write(ReadOnlyMemory<byte> bytes)
    {
        if (_file is null || _offset >= FileBytes)
        {
            BeginFile();
        }

        _pieces[0] = bytes;
        _file!.Write(_offset, _pieces);
        _offset += bytes.Length;
        bool isFlushed = false;
        for (_owed += flushesPerWrite; _owed >= 1; _owed--)
        {
            _file.Flush();
            isFlushed = true;
        }

        return isFlushed;
    }

    public void Dispose() => _file?.Dispose();

    private void BeginFile()
    {
        // The next before the last goes: whoever kills the party at any moment finds a file.
        string? last = _name;
        _name = last == "even" ? "odd" : "even";
        IDiskFile next = _disk.Create(_name, FileBytes);
        if (_file is not null)
        {
            _file.Flush();
            _file.Dispose();
            _disk.Delete(last!);
        }

        _file = next;
        _offset = 0;
    }
}
