namespace Bft.Sim;

/// <summary>A fault that a run chose, and that shrinking may take away.</summary>
/// <param name="Id">Its name in the tape.</param>
/// <param name="What">For people: "crash W2", "drop P0→W1".</param>
public readonly record struct Fault(ChoiceId Id, string What);

/// <summary>The one oracle of a run: every choice comes from here, named by stream, entity and a counter, and depends on nothing else.</summary>
/// <remarks>
/// So taking one choice away does not reshuffle the rest: the draws of a fault (how long, whom) are its own <see cref="Lot"/>'s, and the
/// counter moves whether it happens or not.
/// </remarks>
public sealed class Choices(ulong seed, IReadOnlySet<ChoiceId>? removed = null)
{
    private readonly int[][] _counters = new int[Enum.GetValues<ChoiceStream>().Length][];
    private readonly List<Fault> _faults = [];

    public ulong Seed => seed;

    /// <summary>Faults that happened, in order.</summary>
    public IReadOnlyList<Fault> Faults => _faults;

    /// <summary>The next choice of an entity.</summary>
    public Lot Next(ChoiceStream stream, int entity) => new(seed, NextId(stream, entity));

    /// <summary>The next choice of an entity, when it is a fault: true when it happens, with the lot that decides the rest.</summary>
    public bool Fault(ChoiceStream stream, int entity, int ppm, out Lot lot)
    {
        lot = Next(stream, entity);
        return lot.Chance(ppm) && !IsRemoved(lot.Id);
    }

    /// <summary>Whether shrinking took this choice away.</summary>
    public bool IsRemoved(ChoiceId id) => removed is not null && removed.Contains(id);

    /// <summary>Writes a fault down, so that it can be taken away.</summary>
    public void Record(ChoiceId id, string what) => _faults.Add(new Fault(id, what));

    public ChoiceId NextId(ChoiceStream stream, int entity)
    {
        ref int[] counters = ref _counters[(int)stream]!;
        counters ??= new int[64];
        if (entity >= counters.Length)
        {
            Array.Resize(ref counters, Math.Max(entity + 1, 2 * counters.Length));
        }

        return new ChoiceId(stream, entity, counters[entity]++);
    }
}
