using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>R4: the tips of n − f witnesses are followed; one that is silent, gone or proven wrong makes room for another.</summary>
/// <remarks>Of n − f at least f + 1 are correct, so that what one correct witness stores is seen, and what f + 1 hold can be known (R5).</remarks>
internal sealed class WatchedWitnesses
{
    private readonly Committee _committee;
    private readonly Topic _topic;
    private readonly TimeSpan _silenceMax;
    private readonly SubscriptionLink[] _links;
    private int _next;

    public WatchedWitnesses(Committee committee, Topic topic, TimeSpan silenceMax, ulong chance, int first, IReceiverOutputs outputs)
    {
        _committee = committee;
        _topic = topic;
        _silenceMax = silenceMax;
        _next = first;
        _links = [.. Enumerable.Range(1, committee.Size.Responsive).Select(place => new SubscriptionLink(SubscriptionChannel.Tips, unchecked(chance + (ulong)place), outputs))];
    }

    /// <summary>Null when the witness is not watched.</summary>
    public SubscriptionLink? LinkOf(WitnessIndex witness) => Array.Find(_links, link => link.Witness == witness);

    /// <summary>Dials for the places that are free.</summary>
    /// <returns>Who said nothing for too long: heartbeats come every second.</returns>
    public IReadOnlyList<WitnessIndex> OnTick(long nowMs)
    {
        List<WitnessIndex> silent = [];
        foreach (SubscriptionLink link in _links)
        {
            if (link.IsOpen && nowMs - link.LastHeard > _silenceMax.TotalMilliseconds)
            {
                silent.Add(link.Witness!.Value);
            }
            else if (link.IsDue(nowMs))
            {
                link.Open(NextFree(), new StartFrame(_topic, StartPosition.Earliest, [], WithBodies: false));
            }
        }

        return silent;
    }

    /// <summary>In turn; there are f more witnesses than places.</summary>
    private WitnessIndex NextFree()
    {
        WitnessIndex witness;
        do
        {
            witness = new WitnessIndex(_next);
            _next = (_next + 1) % _committee.Size.Count;
        }
        while (LinkOf(witness) is not null);
        return witness;
    }
}
