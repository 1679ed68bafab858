using System.Collections.Concurrent;

namespace Bft.Sim.SmallScope;

/// <summary>What one witness can do before anybody else notices anything.</summary>
/// <param name="Successors">States right after something new was sent; the least of them only.</param>
/// <param name="Tips">For each stored tip that it can have meanwhile a state in which it has it.</param>
/// <param name="Wrong">A state in which something does not hold; −1 when there is none.</param>
/// <param name="Quiet">States in which nothing that can be delivered changes anything.</param>
internal sealed record Closure(int[] Successors, int[] Tips, int Wrong, int[] Quiet);

/// <summary>The reduction: a step that shows nothing new is taken only on the way to one that does.</summary>
/// <remarks>
/// Why nothing is lost. What can be delivered to a witness only grows, and grows only when another shows a new ack. So in any run a step that
/// shows nothing can be put off until right before its own witness's next step that does: it is still possible, leads to the same state, and nobody
/// saw it. The global states left are those in which each witness has just shown something; any other is one of these with each witness somewhere in
/// its closure, independently of the others, and there it is checked. Of two states after the same new ack, one that the other can
/// reach unseen is left out too: whatever follows from it follows from the other. Crashes only share a budget, which putting off never exceeds.
/// </remarks>
internal sealed class Closures(SmallWorld world, WitnessStates states)
{
    private readonly ConcurrentDictionary<(int State, UInt128 Deliverable, int Crashes), Closure> _known = new();

    /// <summary>From a state, with these messages, and with so many crashes of its own at most.</summary>
    public Closure Of(int state, UInt128 deliverable, int crashes) =>
        _known.TryGetValue((state, deliverable, crashes), out Closure? known) ? known : _known.GetOrAdd((state, deliverable, crashes), Compute(state, deliverable, crashes));

    /// <summary>The shortest way from a state to another, with at most its last step showing something; null when there is none.</summary>
    public List<int>? Way(int from, int to, UInt128 deliverable, int crashes)
    {
        Dictionary<int, (int Before, int Input)> reached = new() { [from] = (-1, -1) };
        Queue<int> open = new([from]);
        while (!reached.ContainsKey(to) && open.TryDequeue(out int at))
        {
            foreach ((int input, int next) in Steps(at, deliverable, crashes))
            {
                if (reached.TryAdd(next, (at, input)) && states[next].Claimed == states[from].Claimed)
                {
                    open.Enqueue(next);
                }
            }
        }

        if (!reached.ContainsKey(to))
        {
            return null;
        }

        List<int> way = [];
        for (int at = to; at != from; at = reached[at].Before)
        {
            way.Add(reached[at].Input);
        }

        way.Reverse();
        return way;
    }

    /// <summary>Inputs that change a state, and where they lead.</summary>
    public IEnumerable<(int Input, int Next)> Steps(int state, UInt128 deliverable, int crashes)
    {
        for (int input = 0; input < world.Inputs.StepCount; input++)
        {
            if (input < world.Inputs.NetworkCount && (deliverable & SmallInputs.Bit(input)) == 0)
            {
                continue;
            }

            int next = states.Next(state, input);
            if (next >= 0 && next != state && states[next].Crashes <= crashes)
            {
                yield return (input, next);
            }
        }
    }

    private Closure Compute(int state, UInt128 deliverable, int crashes)
    {
        List<int> shown = [];
        List<int> quiet = [];
        int wrong = -1;
        Dictionary<int, int> tips = [];
        foreach (int at in Unseen(state, deliverable, crashes, shown, quiet))
        {
            tips.TryAdd(states[at].Tip, at);
            wrong = wrong < 0 && states[at].Violation is not null ? at : wrong;
        }

        return new Closure(Least(shown, deliverable, crashes, ref wrong), [.. tips.Values.Order()], wrong, [.. quiet]);
    }

    private int[] Least(List<int> shown, UInt128 deliverable, int crashes, ref int wrong)
    {
        List<int> least = [];
        Dictionary<ulong, HashSet<int>> reached = [];
        foreach (int next in shown)
        {
            wrong = wrong < 0 && states[next].Violation is not null ? next : wrong;
            if (!reached.TryGetValue(states[next].Claimed, out HashSet<int>? unseen))
            {
                unseen = [];
                reached.Add(states[next].Claimed, unseen);
            }

            if (!unseen.Contains(next))
            {
                least.Add(next);
                unseen.UnionWith(Unseen(next, deliverable, crashes, [], []));
            }
        }

        return [.. least];
    }

    /// <summary>All states that a witness reaches without showing anything, layer by layer; each layer's inputs are tried on all threads.</summary>
    private HashSet<int> Unseen(int state, UInt128 deliverable, int crashes, List<int> shown, List<int> quiet)
    {
        HashSet<int> reached = [state];
        HashSet<int> seenShown = [];
        List<int> layer = [state];
        ulong claimed = states[state].Claimed;
        bool isWrong = false;
        while (layer.Count > 0 && !states.IsFull && !isWrong)
        {
            if (layer.Count > 8)
            {
                Parallel.ForEach(layer, new ParallelOptions { MaxDegreeOfParallelism = world.Options.Threads }, at =>
                {
                    foreach (var _ in Steps(at, deliverable, crashes))
                    {
                    }
                });
            }

            List<int> next = [];
            foreach (int at in layer)
            {
                bool isQuiet = true;
                foreach ((int input, int to) in Steps(at, deliverable, crashes))
                {
                    isWrong |= states[to].Violation is not null;
                    isQuiet &= world.Inputs[input].Kind is SmallInput.Crash or SmallInput.Tick;
                    if (states[to].Claimed != claimed)
                    {
                        if (seenShown.Add(to))
                        {
                            shown.Add(to);
                        }
                    }
                    else if (reached.Add(to))
                    {
                        next.Add(to);
                    }
                }

                if (isQuiet)
                {
                    quiet.Add(at);
                }
            }

            layer = next;
        }

        return reached;
    }
}
