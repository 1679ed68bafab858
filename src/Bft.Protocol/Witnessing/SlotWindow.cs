using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Witnessing;

/// <summary>A witness's highest ack in a stream: the only one that the next ack's base depends on (W1).</summary>
internal sealed record LastAck(BatchRef Batch, Sequence Base);

/// <summary>The slots of a stream as one witness sees them, in three stretches.</summary>
/// <remarks>
/// Below <see cref="StoredEnd"/>: covered, stored, durable, and forgotten here. From there to <see cref="RecordedEnd"/>: the same but for
/// the flush. Above: <see cref="SlotState"/>s, at most six windows of them (C3).
/// </remarks>
internal sealed class SlotWindow(StreamId stream, Committee committee)
{
    private static readonly Dictionary<Sequence, SlotState> None = [];
    private Dictionary<Sequence, SlotState> _slots = None; // an idle stream has no table
    private Digest _recordedDigest; // of the slot before RecordedEnd
    private LastAck? _last;         // null when there is none, or it is the recorded tip's: of an idle stream the base says all
    private Sequence? _tipBase;

    public StreamId Stream => stream;

    public Committee Committee => committee;

    /// <summary>States kept: at most six windows (C3).</summary>
    public int Count => _slots.Count;

    /// <summary>W: slots in a window.</summary>
    public ulong Size => (ulong)committee.Limits.WindowSlots;

    /// <summary>One above the stored tip.</summary>
    public Sequence StoredEnd { get; private set; }

    /// <summary>One above the highest slot whose body and covering certificate are recorded, durable or about to be.</summary>
    public Sequence RecordedEnd { get; private set; }

    /// <summary>The batch covered in the slot before <see cref="RecordedEnd"/>.</summary>
    public BatchRef? RecordedTip => RecordedEnd > Sequence.Zero ? new BatchRef(stream, RecordedEnd.Preceding, _recordedDigest) : null;

    /// <summary>One above the highest slot known certified.</summary>
    public Sequence CertifiedEnd { get; private set; }

    public LastAck? LastAck
    {
        get => _last ?? (_tipBase is { } @base ? new LastAck(RecordedTip!.Value, @base) : null);
        set => (_last, _tipBase) = value is { } last && last.Batch == RecordedTip ? (null, last.Base) : (value, (Sequence?)null);
    }

    /// <summary>C3: what is acked, counted or adopted lies below: two windows, as a witness may be behind by one and the publisher ahead by one (P4).</summary>
    public ulong Limit => StoredEnd.Value + (2 * Size);

    /// <summary>The lowest slot neither acked by me nor covered by a recorded certificate: the only one that may be acked (W1).</summary>
    public Sequence NextOpen => _last is { } last && last.Batch.Sequence >= RecordedEnd ? last.Batch.Sequence.Following : RecordedEnd;

    /// <summary>The lowest slot not known to be both covered and recorded: where a fetch begins.</summary>
    public Sequence FirstMissing
    {
        get
        {
            Sequence sequence = RecordedEnd;
            while (Find(sequence) is { IsCoveredRecorded: true })
            {
                sequence = sequence.Following;
            }

            return sequence;
        }
    }

    /// <summary>The states there are, lowest slot first.</summary>
    public IEnumerable<(Sequence Sequence, SlotState Slot)> Known => _slots.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value));

    public SlotState? Find(Sequence sequence) => _slots.GetValueOrDefault(sequence);

    public SlotState At(Sequence sequence)
    {
        if (!_slots.TryGetValue(sequence, out SlotState? slot))
        {
            slot = new SlotState();
            _slots = ReferenceEquals(_slots, None) ? [] : _slots;
            _slots.Add(sequence, slot);
        }

        return slot;
    }

    /// <summary>All up to this batch is covered and recorded.</summary>
    public void Recorded(BatchRef tip)
    {
        LastAck? last = LastAck;
        (RecordedEnd, _recordedDigest) = (tip.Sequence.Following, tip.Digest);
        LastAck = last;
    }

    public void Certified(Sequence sequence) => CertifiedEnd = sequence >= CertifiedEnd ? sequence.Following : CertifiedEnd;

    /// <summary>S2: all up to this batch is stored; nothing else is known yet.</summary>
    public void Restore(BatchRef tip)
    {
        Recorded(tip);
        StoredEnd = tip.Sequence.Following;
        Certified(tip.Sequence);
    }

    /// <summary>The slots up to this one are durable; gives the states that are forgotten.</summary>
    public List<SlotState> Stored(Sequence tip)
    {
        List<SlotState> forgotten = [];
        for (; StoredEnd <= tip; StoredEnd = StoredEnd.Following)
        {
            if (_slots.Remove(StoredEnd, out SlotState? slot))
            {
                forgotten.Add(slot);
            }
        }

        _slots = _slots.Count == 0 ? None : _slots;
        return forgotten;
    }

    /// <summary>W4: the window is W slots from the lowest that I neither acked nor know covered, and W above the highest that I acked or know certified.</summary>
    public bool Holds(Sequence sequence)
    {
#if PLANTED
        if (Crypto.Planted.Is("future-unbounded"))
        {
            return true;
        }
#endif
        Sequence lowest = NextOpen;
        while (Find(lowest) is { Covered: not null })
        {
            lowest = lowest.Following;
        }

        if (sequence.Value < Math.Min(lowest.Value + Size, Limit) || _slots.ContainsKey(sequence))
        {
            return true;
        }

        // C3: while a stream is far behind the second window moves on and leaves slots behind, and my own acks move the first: both are bounded.
        ulong highest = Math.Max(NextOpen.Value, CertifiedEnd.Value);
        return sequence.Value >= highest && sequence.Value < highest + Size && (ulong)_slots.Count < 4 * Size;
    }

    /// <summary>W5: a known certificate covers this slot, though perhaps the statements that lead down to it are not here yet.</summary>
    public bool IsReached(Sequence sequence)
    {
        for (ulong above = sequence.Value; above < Math.Min(CertifiedEnd.Value, sequence.Value + Size); above++)
        {
            if (Find(new Sequence(above)) is { } slot && (slot.Certificate?.Base <= sequence || (slot.Covered is not null && slot.CoveredFrom <= sequence)))
            {
                return true;
            }
        }

        return false;
    }
}
