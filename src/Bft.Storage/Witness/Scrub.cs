using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>What one step of a scrub came to.</summary>
/// <param name="Bytes">Read. 0: a round is over, the next step begins another.</param>
/// <param name="Segment">Where.</param>
/// <param name="Fault">The segment was read to its end, and this is wrong with it; else null.</param>
public readonly record struct Scrubbed(long Bytes, long Segment, string? Fault = null);

/// <summary>Reads the segments that nothing is written to any more, one block in a step, so that damage is found while others still have what is damaged.</summary>
/// <remarks>What cannot be read of the stored goes to <see cref="BatchStore.Damages"/>. One thread at a time; the journal and its store may be used meanwhile.</remarks>
/// <param name="disk">The journal's.</param>
/// <param name="journal">Open.</param>
/// <param name="store">What it indexes.</param>
/// <param name="after">The last segment of this round that was read already. Default: none.</param>
public sealed class Scrub(IDisk disk, Journal journal, BatchStore store, long after = 0) : IDisposable
{
    private readonly Dictionary<long, long> _ends = []; // bound: the journal's segments
    private BlockCursor? _cursor;
    private (long Segment, ulong Mark) _before;
    private string? _fault;

    /// <summary>The last segment that was read whole in this round.</summary>
    public long Done { get; private set; } = after;

    /// <summary>Reads the next block.</summary>
    public Scrubbed Next()
    {
        long segment = _cursor?.Segment ?? NextSegment();
        if (segment == 0)
        {
            Done = 0;
            _before = default;
            _ends.Clear();
            return default;
        }

        long bytes = BlockHeader.Bytes;
        try
        {
            _cursor ??= new BlockCursor(disk.Open(SegmentName.Of(segment)), segment);
            if (_cursor.TryAdvance())
            {
                bytes = _cursor.Header.TotalBytes;
                _fault ??= _cursor.AreBodiesSound() ? null : $"a body of commit {_cursor.Header.Mark} does not match its checksum.";
                if (_cursor.Offset == 0 && _before.Segment == segment - 1 && _before.Mark + 1 < _cursor.Header.Mark)
                {
                    _fault ??= $"it begins with commit {_cursor.Header.Mark}, and the file before ends with {_before.Mark}.";
                }

                return new Scrubbed(bytes, segment);
            }

            bool isWhole = _cursor.End > 0 && _cursor.End >= Math.Max(_cursor.File.Length, _ends.GetValueOrDefault(segment));
            _fault ??= isWhole ? null : _cursor.Fault;
        }
        catch (Exception refused) when (refused is DiskException or JournalMismatchException)
        {
            _fault = journal.Holds(segment) ? refused.Message : null; // given up meanwhile
        }

        return new Scrubbed(bytes, segment, Leave(segment));
    }

    public void Dispose()
    {
        _cursor?.File.Dispose();
        _cursor = null;
    }

    private string? Leave(long segment)
    {
        string? fault = _fault;
        _fault = null;
        _before = (segment, _cursor is { End: > 0 } ? _cursor.Header.Mark : ulong.MaxValue - 1);
        Dispose();
        Done = segment;
        if (fault is not null)
        {
            FindParts(segment);
        }

        return fault;
    }

    private long NextSegment()
    {
        if (_ends.Count == 0)
        {
            FindEnds();
        }

        foreach (string name in disk.List())
        {
            if (SegmentName.TryParse(name, out long segment) && segment > Done && segment < journal.DurableSegment)
            {
                return segment;
            }
        }

        return 0;
    }

    /// <summary>How far each segment must reach: a file that became shorter may end with a whole block.</summary>
    private void FindEnds()
    {
        foreach (StreamLog log in store.Streams)
        {
            StreamIndex index = log.Index;
            for (long row = index.Slots.Count - 1; row >= 0; row--)
            {
                StoredSlot slot = index.Slots[row];
                Reach(slot.Segment, (long)slot.Offset + log.StatementLength + slot.BodyLength);
            }

            for (long row = index.Certificates.Count - 1; row >= 0; row--)
            {
                JournalPosition at = index.Certificates[row].Position;
                Reach(at.Segment, at.Offset + at.Length);
            }
        }

        void Reach(long segment, long end) => _ends[segment] = Math.Max(end, _ends.GetValueOrDefault(segment));
    }

    /// <summary>Reads all that lies in a segment and is stored: what cannot be read is noted by the read itself.</summary>
    private void FindParts(long segment)
    {
        foreach (StreamLog log in store.Streams)
        {
            StreamIndex index = log.Index;
            for (long row = 0; row < index.Slots.Count; row++)
            {
                if (index.Slots[row].Segment == segment)
                {
                    log.Check(new DamagedPart(log.Header.Id, new Sequence(index.First.Value + (ulong)row)));
                }
            }

            for (long row = 0; row < index.Certificates.Count; row++)
            {
                if (index.Certificates[row] is var certificate && certificate.Position.Segment == segment)
                {
                    log.Check(new DamagedPart(log.Header.Id, new Sequence(certificate.Top), IsCertificate: true));
                }
            }
        }
    }
}
