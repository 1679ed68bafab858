namespace Bft.Sim;

/// <summary>What led to an event: backwards over each party's own order and from arrivals to sends (Lamport's happened-before).</summary>
internal sealed class CausalSlice
{
    private static readonly TraceKind[] Always = [TraceKind.Crash, TraceKind.DiskFault, TraceKind.Attack, TraceKind.Evidence, TraceKind.Partition, TraceKind.Violation];

    private readonly int[] _before;
    private readonly int[] _cause;

    public CausalSlice(IReadOnlyList<TraceEvent> events)
    {
        _before = new int[events.Count];
        _cause = new int[events.Count];
        Dictionary<int, int> last = [];
        Dictionary<long, int> sends = [];
        Dictionary<(int From, int To, string Text), int> likes = [];
        for (int i = 0; i < events.Count; i++)
        {
            TraceEvent happened = events[i];
            _before[i] = happened.Party < 0 ? -1 : last.GetValueOrDefault(happened.Party, -1);
            _cause[i] = -1;
            last[happened.Party] = i;
            if (happened.Kind == TraceKind.Send)
            {
                sends[happened.Message] = i;
                likes[(happened.Party, happened.Other, happened.Text)] = i;
            }
            else if (happened.Kind is TraceKind.Deliver or TraceKind.Drop)
            {
                // A duplicate has a number of its own, and was sent with the message that it is like.
                _cause[i] = sends.TryGetValue(happened.Message, out int send) ? send : likes.GetValueOrDefault((happened.Other, happened.Party, happened.Text), -1);
            }
        }
    }

    /// <summary>The event before it at the same party; −1 when there is none.</summary>
    public int Before(int index) => _before[index];

    /// <summary>The sending of what arrived; −1 when it is no arrival.</summary>
    public int Cause(int index) => _cause[index];

    /// <summary>The part of a run that explains a violation.</summary>
    /// <returns>By index of the event; all true when there is no violation in the log.</returns>
    public bool[] Of(IReadOnlyList<TraceEvent> events, IReadOnlyList<int> parties)
    {
        int end = events.Count - 1;
        while (end >= 0 && events[end].Kind != TraceKind.Violation)
        {
            end--;
        }

        bool[] isPart = new bool[events.Count];
        if (end < 0)
        {
            Array.Fill(isPart, true);
            return isPart;
        }

        bool[] isBefore = Past(events, end, parties);
        HashSet<string> slots = Slots(events, end, parties);
        for (int i = 0; i <= end; i++)
        {
            TraceEvent happened = events[i];
            isPart[i] = isBefore[i] && (i == end || Always.Contains(happened.Kind) || Concerns(happened, slots, parties));
        }

        Complete(events, isPart);
        return isPart;
    }

    /// <summary>A message is shown whole, a start belongs to the crash before it, and a broadcast to the message that it leads to.</summary>
    private void Complete(IReadOnlyList<TraceEvent> events, bool[] isPart)
    {
        HashSet<int> crashed = [];
        for (int i = 0; i < events.Count; i++)
        {
            if (isPart[i] && _cause[i] >= 0)
            {
                isPart[_cause[i]] = true;
            }

            if (events[i].Kind == TraceKind.Crash && isPart[i])
            {
                crashed.Add(events[i].Party);
            }

            isPart[i] |= events[i].Kind == TraceKind.Restart && crashed.Contains(events[i].Party);
        }

        Dictionary<int, bool> sendsNext = [];
        for (int i = events.Count - 1; i >= 0; i--)
        {
            if (events[i].Kind == TraceKind.Send)
            {
                sendsNext[events[i].Party] = isPart[i];
            }

            isPart[i] |= events[i].Kind == TraceKind.Broadcast && sendsNext.GetValueOrDefault(events[i].Party);
        }
    }

    private static bool Concerns(in TraceEvent happened, HashSet<string> slots, IReadOnlyList<int> parties) => happened.Kind switch
    {
        TraceKind.Probe or TraceKind.Clock => false,
        TraceKind.Durable or TraceKind.Note => parties.Contains(happened.Party),
        _ => slots.Count == 0 ? !MessageKind.IsHousekeeping(happened.Text) : SlotNames.SlotsIn(happened.Text).Any(slots.Contains),
    };

    /// <summary>The slots that the finding names; else the first that waits at a publisher concerned; else those that the parties concerned saw last.</summary>
    private static HashSet<string> Slots(IReadOnlyList<TraceEvent> events, int end, IReadOnlyList<int> parties)
    {
        HashSet<string> slots = new(SlotNames.SlotsIn(events[end].Text), StringComparer.Ordinal);
        if (slots.Count == 0)
        {
            HashSet<string> certified = new(events.Where(one => one.Kind == TraceKind.Certified).SelectMany(one => SlotNames.SlotsIn(one.Text)), StringComparer.Ordinal);
            slots.UnionWith(events
                .Where(one => one.Kind == TraceKind.Send && parties.Contains(one.Party) && MessageKind.Of(one.Text) == "batch")
                .SelectMany(one => SlotNames.SlotsIn(one.Text))
                .Where(slot => !certified.Contains(slot))
                .Take(1));
        }

        for (int i = end - 1; i >= 0 && slots.Count == 0; i--)
        {
            if (events[i].Kind is TraceKind.Delivered or TraceKind.Certified or TraceKind.Stored && parties.Contains(events[i].Party))
            {
                slots.UnionWith(SlotNames.SlotsIn(events[i].Text));
            }
        }

        return slots;
    }

    private bool[] Past(IReadOnlyList<TraceEvent> events, int end, IReadOnlyList<int> parties)
    {
        bool[] isBefore = new bool[events.Count];
        isBefore[end] = true;
        HashSet<int> open = [.. parties];
        bool isAll = open.Count == 0 && events[end].Party < 0;
        for (int i = end - 1; i >= 0; i--)
        {
            // The last event of each party concerned, and whatever came before.
            if (events[i].Party >= 0 && (isAll || open.Remove(events[i].Party)))
            {
                isBefore[i] = true;
            }
        }

        for (int i = end; i >= 0; i--)
        {
            if (isBefore[i])
            {
                Mark(_before[i]);
                Mark(_cause[i]);
            }
        }

        return isBefore;

        void Mark(int index)
        {
            if (index >= 0)
            {
                isBefore[index] = true;
            }
        }
    }
}
