using Bft.Crypto;

namespace Bft.Node;

/// <summary>Virtual time of fair queuing: what each party had, by its weight, as a point in time; whose next turn would end earliest is next.</summary>
/// <remarks>
/// Demers, Keshav, Shenker: Analysis and Simulation of a Fair Queueing Algorithm (SIGCOMM 1989), with the present of Start-time Fair Queuing (Goyal, Vin, Cheng, SIGCOMM 1996), which needs no clock. A turn
/// begins where its party's last one ended, but not long before the present: who was idle saved next to nothing up. By their ends and not by their beginnings, so that who wants little does not wait for one turn of
/// each who wants much. Unit of cost: whatever all parties count in.
/// </remarks>
internal sealed class FairTime
{
    private const int Scale = 1024; // a cost of 1 divided by a weight leaves something

    private readonly Dictionary<PublicKey, Int128> _ends = []; // bound: parties that had a turn since the last idle moment

    /// <summary>The present: where the earliest turn under way began. Only rises.</summary>
    public Int128 Now { get; private set; }

    /// <summary>How far behind the present a party may begin that had a turn before: its next one was a moment too late. Unit: that of costs, at a weight of 1. <value>Default 0.</value></summary>
    public long BehindMax { get; set; }

    public Int128 StartOf(PublicKey party) => _ends.TryGetValue(party, out Int128 end) ? Int128.Max(EndOf(Now, -BehindMax, 1), end) : Now;

    /// <param name="start">Where a turn begins.</param>
    /// <param name="cost">At least 0.</param>
    /// <param name="weight">The party's share beside the others'; at least 1.</param>
    public static Int128 EndOf(Int128 start, long cost, int weight) => start + ((Int128)cost * Scale / weight);

    /// <summary>A turn is given, or asked for: the party's next one begins where it ends.</summary>
    public void Charge(PublicKey party, Int128 end) => _ends[party] = end;

    public void AdvanceTo(Int128 start) => Now = Int128.Max(Now, start);

    /// <summary>Nobody wants anything: all are alike from here on.</summary>
    public void OnIdle() => _ends.Clear();
}
