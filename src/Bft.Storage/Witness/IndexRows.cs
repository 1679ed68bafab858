using System.Buffers.Binary;

namespace Bft.Storage;

/// <summary>A row of an index: some fixed bytes.</summary>
internal interface IIndexRow<T>
    where T : struct, IIndexRow<T>
{
    static abstract int Bytes { get; }

    static abstract T Read(ReadOnlySpan<byte> from);

    void Write(Span<byte> to);
}

/// <summary>Rows that one thread appends to while any number read. What fills a page is written by one checkpoint, and only named by the later ones (S2).</summary>
/// <remarks>So the cost of a checkpoint follows what was stored since the last one. Pages belong to the thread that owns the journal.</remarks>
internal sealed class IndexRows<T> : AppendList<T>
    where T : struct, IIndexRow<T>, IEquatable<T>
{
    private const int EntryBytes = 4 * 4;

    private static readonly List<IndexPage> None = []; // stays empty: AddPage is the only way in

    private List<IndexPage> _pages = None; // without gaps; most streams have none; rows behind the last one are in each checkpoint

    public IReadOnlyList<IndexPage> Pages => _pages;

    /// <summary>Puts another row in place of one; its page is written anew.</summary>
    public new void Replace(long row, T item)
    {
        base.Replace(row, item);
        Renew(page => page.Start <= row && row < page.End);
    }

    /// <summary>The same with one row in place of some; pages from there on are made anew.</summary>
    public IndexRows<T> Spliced(long at, long removed, T item)
    {
        IndexRows<T> rows = new();
        for (long row = 0; row < at; row++)
        {
            rows.Add(this[row]);
        }

        rows.Add(item);
        for (long row = at + removed; row < Count; row++)
        {
            rows.Add(this[row]);
        }

        foreach (IndexPage page in _pages.TakeWhile(page => page.End <= at))
        {
            rows.AddPage(page);
        }

        return rows;
    }

    /// <summary>The same without its first rows, and with others in place of some. Pages that this changes are written anew.</summary>
    public IndexRows<T> Rewritten(long cut, Func<long, T, T> rewrite)
    {
        IndexRows<T> rows = new();
        List<long> changed = [];
        for (long row = cut; row < Count; row++)
        {
            T now = rewrite(row, this[row]);
            rows.Add(now);
            if (!now.Equals(this[row]))
            {
                changed.Add(row);
            }
        }

        foreach (IndexPage page in _pages.Where(page => page.End > cut))
        {
            int at = changed.BinarySearch(page.Start);
            bool isChanged = at >= 0 || (~at < changed.Count && changed[~at] < page.End);
            rows.AddPage(page with { Start = page.Start - cut, At = isChanged ? default : page.At });
        }

        return rows;
    }

    /// <summary>The next checkpoint writes these pages anew.</summary>
    public void Renew(Predicate<IndexPage> which)
    {
        for (int i = 0; i < _pages.Count; i++)
        {
            _pages[i] = which(_pages[i]) ? _pages[i] with { At = default } : _pages[i];
        }
    }

    /// <summary>All rows as a checkpoint has them: the first page's start, the places of pages, the rows behind the last.</summary>
    public byte[] Write(Snapshot snapshot, int pageRows)
    {
        for (long start = _pages.Count == 0 ? 0 : _pages[^1].End; Count - start >= pageRows; start += pageRows)
        {
            AddPage(new IndexPage(start, pageRows, default));
        }

        for (int i = 0; i < _pages.Count; i++)
        {
            if (!_pages[i].IsWritten)
            {
                long start = Math.Max(0, _pages[i].Start);
                int page = i;
                int number = snapshot.AddPage(Bytes(start, _pages[i].End), at => _pages[page] = _pages[page] with { At = at });
                _pages[i] = new IndexPage(start, (int)(_pages[i].End - start), IndexPage.InCheckpoint(number));
            }
        }

        byte[] tail = Bytes(_pages.Count == 0 ? 0 : _pages[^1].End, Count);
        byte[] bytes = new byte[8 + (_pages.Count * EntryBytes) + tail.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, _pages.Count == 0 ? 0 : (int)-_pages[0].Start);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), _pages.Count);
        for (int i = 0; i < _pages.Count; i++)
        {
            Span<byte> entry = bytes.AsSpan(8 + (i * EntryBytes));
            BinaryPrimitives.WriteInt32LittleEndian(entry, (int)_pages[i].At.Segment);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], (uint)_pages[i].At.Offset);
            BinaryPrimitives.WriteInt32LittleEndian(entry[8..], _pages[i].Rows);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], _pages[i].At.Checksum);
        }

        tail.CopyTo(bytes, bytes.Length - tail.Length);
        return bytes;
    }

    /// <summary>Reads what <see cref="Write"/> wrote; false when it is malformed.</summary>
    /// <exception cref="CheckpointLostException">Neither copy of a page can be read.</exception>
    public bool TryRead(ReadOnlySpan<byte> bytes, PageReader reader)
    {
        if (bytes.Length < 8)
        {
            return false;
        }

        int skipped = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        int pages = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        bytes = bytes[8..];
        if (skipped < 0 || pages < 0 || pages > bytes.Length / EntryBytes || (bytes.Length - (pages * EntryBytes)) % T.Bytes != 0)
        {
            return false;
        }

        long start = -skipped;
        for (int i = 0; i < pages; i++, bytes = bytes[EntryBytes..])
        {
            int rows = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
            if (rows <= 0 || rows > int.MaxValue / T.Bytes || start + rows <= 0)
            {
                return false;
            }

            JournalPosition at = new(
                BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]), rows * T.Bytes, BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));
            Add(reader.Read(ref at)[((int)Math.Max(0, -start) * T.Bytes)..]);
            AddPage(new IndexPage(start, rows, at));
            start += rows;
        }

        Add(bytes);
        return true;
    }

    private void AddPage(IndexPage page)
    {
        _pages = ReferenceEquals(_pages, None) ? [] : _pages;
        _pages.Add(page);
    }

    private void Add(ReadOnlySpan<byte> rows)
    {
        for (; rows.Length > 0; rows = rows[T.Bytes..])
        {
            Add(T.Read(rows));
        }
    }

    private byte[] Bytes(long start, long end)
    {
        byte[] bytes = new byte[(end - start) * T.Bytes];
        for (long row = start; row < end; row++)
        {
            this[row].Write(bytes.AsSpan((int)(row - start) * T.Bytes));
        }

        return bytes;
    }
}
