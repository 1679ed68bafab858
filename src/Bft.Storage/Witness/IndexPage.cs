namespace Bft.Storage;

/// <summary>Consecutive rows of an index that lie in the journal.</summary>
/// <param name="Start">The first row; below 0 when it was cut since.</param>
/// <param name="Rows">How many.</param>
/// <param name="At">Where, in the first copy of a checkpoint; the second has them one segment higher. The default: to be written.</param>
internal readonly record struct IndexPage(long Start, int Rows, JournalPosition At)
{
    public long End => Start + Rows;

    public bool IsWritten => At != default;

    /// <summary>The place of a page in the checkpoint that names it: its number there, for the start may move a checkpoint.</summary>
    public static JournalPosition InCheckpoint(int number) => new(0, number, 0, 0);
}

/// <summary>Reads pages of indexes while the journal is being opened. Either copy will do.</summary>
internal sealed class PageReader(IDisk disk) : IDisposable
{
    private readonly SegmentReaders _segments = new(disk);
    private readonly List<JournalPosition> _own = [];
    private byte[] _buffer = [];

    /// <summary>A page of the checkpoint that is being replayed.</summary>
    public void OnPage(JournalPosition at) => _own.Add(at);

    /// <summary>The page is one of the checkpoint that was replayed.</summary>
    public bool IsOwn(JournalPosition at) => _own.Count > 0 && _own[0].Segment == at.Segment;

    public int PagesRead { get; private set; }

    /// <summary>A page was read from its second copy.</summary>
    public bool HasLostCopy { get; private set; }

    /// <param name="at">Its place as written; then where it lies, or the default when it should be written anew, because only one copy was read.</param>
    /// <returns>The page, until the next call.</returns>
    /// <exception cref="CheckpointLostException">Neither copy can be read.</exception>
    public ReadOnlySpan<byte> Read(ref JournalPosition at)
    {
        if (at.Segment == 0)
        {
            at = at.Offset < _own.Count && _own[(int)at.Offset].Length == at.Length ? _own[(int)at.Offset] : throw Lost(at);
        }

        if (_buffer.Length < at.Length)
        {
            _buffer = new byte[at.Length];
        }

        PagesRead++;
        Span<byte> page = _buffer.AsSpan(0, at.Length);
        if (TryRead(at, at.Segment, page))
        {
            return page;
        }

        JournalPosition lost = at;
        at = default;
        HasLostCopy = true;
        return TryRead(lost, lost.Segment + 1, page) ? page : throw Lost(lost);
    }

    public void Dispose() => _segments.Dispose();

    private static CheckpointLostException Lost(JournalPosition at) =>
        new(SegmentName.Of(at.Segment), at.Offset, "a page of the index cannot be read here, nor its copy in the next file.");

    private bool TryRead(JournalPosition at, long segment, Span<byte> page)
    {
        try
        {
            return _segments.Read(segment, at.Offset, page) == page.Length && Checksum.Of(page) == at.Checksum;
        }
        catch (DiskException)
        {
            return false;
        }
    }
}
