using Bft.Protocol.Model;
using Bft.Storage;

namespace Bft.Sim;

/// <summary>A witness's scrub, some blocks a tick; and what gives it work.</summary>
internal sealed class StoreScrub(SimulatedDisk disk, Journal journal, BatchStore store)
{
    private const int BlocksPerTick = 4;
    private readonly Scrub _scrub = new(disk, journal, store);

    /// <summary>Rounds that are over.</summary>
    public int Rounds { get; private set; }

    public void OnTick(Action<Scrubbed> found)
    {
        for (int i = 0; i < BlocksPerTick; i++)
        {
            Scrubbed step = _scrub.Next();
            if (step.Bytes == 0)
            {
                Rounds++;
                return;
            }

            if (step.Fault is not null)
            {
                found(step);
            }
        }
    }

    /// <summary>Flips a bit of a statement, body or certificate that is stored, in a segment that nothing is written to any more.</summary>
    public static bool TryRot(SimulatedDisk disk, Journal journal, BatchStore store, ref Lot lot)
    {
        StreamLog[] logs = [.. store.Streams.Where(log => log.End > log.FirstKept)];
        if (logs.Length == 0)
        {
            return false;
        }

        StreamLog log = lot.Of(logs);
        JournalPosition at = PlaceOf(log, ref lot);
        if (at.Segment >= journal.DurableSegment || at.Length == 0)
        {
            return false;
        }

        disk.FlipBit($"{at.Segment:D16}.journal", at.Offset, at.Length, ref lot);
        return true;
    }

    private static JournalPosition PlaceOf(StreamLog log, ref Lot lot)
    {
        StreamIndex index = log.Index;
        if (lot.Below(4) == 0)
        {
            return index.Certificates[lot.Below((int)index.Certificates.Count)].Position;
        }

        Sequence sequence = new(index.First.Value + (ulong)lot.Below((int)index.Slots.Count));
        StoredSlot slot = index[sequence];
        return lot.Below(3) == 0 || slot.BodyLength == 0 || sequence < log.Floor ? slot.Statement(log.StatementLength) : slot.Body(log.StatementLength);
    }
}
