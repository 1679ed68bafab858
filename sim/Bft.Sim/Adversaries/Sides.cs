namespace Bft.Sim;

/// <summary>Two sides of a cluster: which half of a twin, and which value of an equivocator, a party is shown.</summary>
internal sealed class Sides(SimulatedCluster cluster)
{
    /// <summary>Such a party is shown now one, now the other.</summary>
    public const int Both = 2;

    private const int Entity = 63;

    private int[]? _sides;

    /// <summary>A director has set them; nothing draws them anew.</summary>
    public bool AreFixed { get; set; }

    public int this[Party party]
    {
        get => party is TwinWitness twin ? twin.Half : All[party.Id];
        set => All[party.Id] = value;
    }

    private int[] All
    {
        get
        {
            if (_sides is null)
            {
                Lot lot = cluster.Simulation.Choices.Next(ChoiceStream.Adversary, Entity);
                Draw(ref lot);
            }

            return _sides!;
        }
    }

    /// <summary>The half that stands behind a twin's identity when this party calls.</summary>
    public int HalfFor(Party caller) => this[caller] is var side && side != Both ? side : cluster.Simulation.Choices.Next(ChoiceStream.Adversary, caller.Id).Below(2);

    public bool IsShown(Party twin, Party other) => this[other] is var side && (side == Both || side == this[twin]);

    /// <summary>Halves the correct parties, mostly evenly: an uneven split leaves one side without a quorum sooner.</summary>
    public void Draw(ref Lot lot)
    {
        _sides = new int[cluster.All.Count];
        int turn = lot.Below(2);
        bool isEven = lot.Below(4) > 0;
        int overlapPpm = lot.Below(2) == 0 ? 0 : 200_000;
        int[] order = [.. Enumerable.Range(0, _sides.Length)];
        for (int i = order.Length - 1; i > 0; i--)
        {
            int other = lot.Below(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }

        // Witnesses and clients are halved each for themselves.
        foreach (int id in order.Where(cluster.IsWitness).Concat(order.Where(id => !cluster.IsWitness(id))))
        {
            bool isOfBoth = cluster.All[id].IsByzantine || lot.Chance(overlapPpm);
            _sides[id] = isOfBoth ? Both : isEven ? turn++ % 2 : lot.Below(2);
        }
    }

    /// <summary>Cuts the links between the two sides.</summary>
    /// <param name="nanoseconds">For how long.</param>
    public void Split(long nanoseconds)
    {
        long until = cluster.Simulation.Now + nanoseconds;
        cluster.Simulation.Note(TraceKind.Partition, -1, "cut along the split");
        foreach (Party one in cluster.All)
        {
            foreach (Party other in cluster.All)
            {
                if (one != other && this[one] != Both && this[other] != Both && this[one] != this[other])
                {
                    cluster.Network.Cut(one.Id, other.Id, until);
                }
            }
        }
    }
}
