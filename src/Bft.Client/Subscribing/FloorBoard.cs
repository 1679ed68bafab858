using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Client;

/// <summary>R4: which floors and tips the witnesses showed per stream, and when a floor is accepted.</summary>
/// <remarks>A stream enters with its first floor, of which only certified ones get here; so it is as bounded as the topic.</remarks>
internal sealed class FloorBoard(Committee committee)
{
    private readonly Dictionary<StreamId, Sequence?[]> _floors = [];
    private readonly Dictionary<StreamId, Sequence?[]> _tips = [];

    /// <summary>What a witness shows, true or not: it speaks for itself alone, and a tip below the truth is one of the at most f lies.</summary>
    public void OnTip(WitnessIndex from, BatchRef tip)
    {
        if (_floors.ContainsKey(tip.Stream))
        {
            Of(_tips, tip.Stream)[from.Value] = tip.Sequence;
        }
    }

    /// <summary>A witness named a floor. Returns the accepted one: n − f lack the slot, f + 1 of them by floor; the lowest floor named above it.</summary>
    public Sequence? OnFloor(WitnessIndex from, Slot floor, Sequence wanted)
    {
        Sequence?[] floors = Of(_floors, floor.Stream);
        floors[from.Value] = floor.Sequence;
        Sequence?[] tips = Of(_tips, floor.Stream);
        int byFloor = floors.Count(named => named > wanted);
        int lacking = committee.GetMembers().Count(witness => floors[witness.Value] > wanted || tips[witness.Value] < wanted);
        return lacking >= committee.Size.Responsive && byFloor >= committee.Size.OneCorrect ? floors.Where(named => named > wanted).Min() : null;
    }

    private Sequence?[] Of(Dictionary<StreamId, Sequence?[]> board, StreamId stream)
    {
        if (!board.TryGetValue(stream, out Sequence?[]? entries))
        {
            entries = new Sequence?[committee.Size.Count];
            board.Add(stream, entries);
        }

        return entries;
    }
}
