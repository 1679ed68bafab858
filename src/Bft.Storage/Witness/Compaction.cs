using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>S2: what is still read from each segment; moves it out of segments that hold little of it, so that they can be deleted.</summary>
internal sealed class Compaction(BatchStore store, Journal journal)
{
    /// <summary>Moved bytes are committed in parts of this size, all of which are in memory at once. Unit: bytes.</summary>
    private const long CommitBytesMax = 16 << 20;

    /// <summary>Pages that are put together in one checkpoint, so that they do not lie in ever more small files. Unit: bytes.</summary>
    private const long MergedBytesMax = 4 << 20;

    /// <summary>Bytes by segment that something refers to, pages aside.</summary>
    public SortedDictionary<long, long> Live()
    {
        SortedDictionary<long, long> live = [];
        (long segment, long bytes) = (0, 0); // neighbours lie in one segment mostly
        foreach (StreamLog log in store.Streams)
        {
            StreamIndex index = log.Index;
            Sequence sequence = index.First;
            for (long i = 0; i < index.Slots.Count; i++, sequence = sequence.Following)
            {
                StoredSlot slot = index.Slots[i];
                Count(slot.Segment, log.StatementLength + (sequence >= log.Floor ? slot.BodyLength : 0));
            }

            for (long i = 0; i < index.Certificates.Count; i++)
            {
                Count(index.Certificates[i].Position.Segment, index.Certificates[i].Position.Length);
            }

            foreach (StreamLog.Candidate candidate in log.Candidates())
            {
                Count(candidate.Slot.Segment, log.StatementLength + candidate.Slot.BodyLength);
            }
        }

        Count(0, 0);
        live.Remove(0);
        return live;

        void Count(long of, long more)
        {
            if (of != segment)
            {
                live[segment] = live.GetValueOrDefault(segment) + bytes;
                (segment, bytes) = (of, 0);
            }

            bytes += more;
        }
    }

    /// <summary>Segments that hold pages, in either copy.</summary>
    public HashSet<long> PageSegments() => [.. Pages().Keys.SelectMany(first => (long[])[first, first + 1])];

    /// <summary>Has the next checkpoint write the newest pages anew, as one, when there are as many as in the checkpoint before them.</summary>
    public void MergePages()
    {
        HashSet<long> merged = [];
        long bytes = 0;
        foreach ((long segment, long more) in Pages().Reverse())
        {
            if ((merged.Count > 0 && more > bytes) || bytes + more > MergedBytesMax)
            {
                break;
            }

            merged.Add(segment);
            bytes += more;
        }

        if (merged.Count > 1)
        {
            foreach (StreamLog log in store.Streams)
            {
                log.Index.Renew(page => merged.Contains(page.At.Segment));
            }
        }
    }

    /// <summary>Moves what lies in segments that are half empty at least, the lowest first, up to a sum of bytes. Durable when it returns.</summary>
    /// <remarks>What the disk gives back wrong stays where it is, and keeps its segment.</remarks>
    public void Run(long segmentBytes, long bytesMax)
    {
        HashSet<long> leaving = [];
        foreach ((long segment, long bytes) in Live())
        {
            if (segment < journal.CurrentSegment && 2 * bytes <= segmentBytes && bytes <= bytesMax)
            {
                bytesMax -= bytes;
                leaving.Add(segment);
            }
        }

        List<Action> moved = [];
        foreach (StreamLog log in leaving.Count == 0 ? [] : store.Streams)
        {
            Move(log, leaving, moved);
        }

        Commit();
        moved.ForEach(apply => apply());
    }

    /// <summary>Bytes of pages by the segment of their first copy.</summary>
    private SortedDictionary<long, long> Pages()
    {
        SortedDictionary<long, long> pages = [];
        foreach (StreamLog log in store.Streams)
        {
            foreach (IndexPage page in log.Index.Pages)
            {
                if (page.IsWritten)
                {
                    pages[page.At.Segment] = pages.GetValueOrDefault(page.At.Segment) + page.At.Length;
                }
            }
        }

        return pages;
    }

    private void Move(StreamLog log, HashSet<long> leaving, List<Action> moved)
    {
        bool isMoved = false;
        StreamIndex index = log.Index.Rewritten(
            log.Index.First,
            (sequence, slot) => leaving.Contains(slot.Segment) ? Moved(slot, sequence >= log.Floor) : slot,
            certificate => leaving.Contains(certificate.Position.Segment) && log.TryRead(certificate.Position, out byte[] bytes)
                ? new StoredCertificate(certificate.Top, certificate.StoredAt, Append(bytes))
                : certificate);
        Dictionary<StreamLog.Candidate, StoredSlot> candidates = new(ReferenceEqualityComparer.Instance);
        foreach (StreamLog.Candidate candidate in log.Candidates().Where(candidate => leaving.Contains(candidate.Slot.Segment)))
        {
            candidates.Add(candidate, Moved(candidate.Slot, withBody: true));
        }

        if (isMoved)
        {
            moved.Add(() => log.Move(index, candidates));
        }

        JournalPosition Append(byte[] bytes)
        {
            isMoved = true;
            return journal.Append((byte)WitnessRecordKind.Moved, [], bytes);
        }

        StoredSlot Moved(StoredSlot slot, bool withBody)
        {
            byte[] body = [];
            if (!log.TryRead(slot.Statement(log.StatementLength), out byte[] statement) || (withBody && !log.TryRead(slot.Body(log.StatementLength), out body)))
            {
                return slot;
            }

            if (journal.PendingBytes > CommitBytesMax)
            {
                Commit();
            }

            JournalPosition at = Append(statement);
            if (withBody)
            {
                return StoredSlot.At(at, Append(body));
            }

            return StoredSlot.At(at);
        }
    }

    private void Commit()
    {
        if (journal.Seal() is { } commit)
        {
            commit.Perform();
            journal.OnDurable(commit);
        }
    }
}
