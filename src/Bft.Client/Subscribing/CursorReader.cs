using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Client;

/// <summary>What the application takes: a slot is leased before (R3), and what was taken is known for a clean end.</summary>
/// <param name="store">Null without a durable cursor.</param>
/// <param name="start">Where the subscription began.</param>
internal sealed class CursorReader(CursorStore? store, Cursor start)
{
    private readonly Cursor _start = start.Copy();
    private readonly SortedDictionary<StreamId, Sequence> _delivered = []; // one entry per stream of the topic, as the cursor

    /// <summary>Per stream, the slot above the last one taken.</summary>
    public IReadOnlyDictionary<StreamId, Sequence> Delivered => _delivered;

    public bool IsLeased(StreamId stream, Sequence sequence) => store?.IsLeased(stream, sequence) ?? true;

    /// <summary>The application gets this slot.</summary>
    /// <returns>How many of its messages it took before.</returns>
    /// <exception cref="InvalidOperationException">No lease is durable: after a crash the slot would come again unmarked.</exception>
    public int Take(StreamId stream, Sequence sequence)
    {
        if (!IsLeased(stream, sequence))
        {
            throw new InvalidOperationException($"Slot {sequence} is delivered without a lease.");
        }

        _delivered[stream] = sequence.Following;
        CursorPosition position = _start.PositionOf(stream);
        return position.Next == sequence ? position.MessagesTaken : 0;
    }
}
