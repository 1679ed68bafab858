namespace Bft.Sim.SmallScope;

/// <summary>One step of one witness.</summary>
internal readonly record struct SmallStep(int Witness, int Input);

/// <summary>How a violation came about: steps from the start, each possible when its turn comes, none of which can be left out.</summary>
internal sealed class Story(Cluster cluster, Closures closures, Healing healing)
{
    /// <summary>Every step on the way through these states to the finding; shortened.</summary>
    /// <param name="states">From the first state to the finding's, each reached from the one before.</param>
    /// <param name="finding">What to show.</param>
    public (string Violation, IReadOnlyList<string> Steps) Of(IReadOnlyList<UInt128> states, Finding finding)
    {
        int[] now = cluster.Unpack(states[0]);
        List<SmallStep> steps = [];
        foreach (UInt128 next in states.Skip(1))
        {
            (int witness, int state) = MoveTo(now, next);
            Go(now, witness, state, steps);
        }

        // The finding speaks of one rotation of the state, and the way may have led to another.
        int[] found = cluster.Unpack(finding.State);
        int turn = Enumerable.Range(0, now.Length).First(turn => Enumerable.Range(0, now.Length).All(i => now[(i + turn) % now.Length] == found[i]));
        foreach ((int witness, int to) in finding.Moves)
        {
            Go(now, (witness + turn) % now.Length, to, steps);
        }

        string violation = Perform(steps) ?? throw new InvalidOperationException("A violation cannot be repeated.");
        string kind = violation[..(violation.IndexOf(':', StringComparison.Ordinal) + 1)];
        for (int i = steps.Count - 1; i >= 0; i = Math.Min(i - 1, steps.Count - 1))
        {
            List<SmallStep> shorter = [.. steps[..i], .. steps[(i + 1)..]];
            if (Perform(shorter)?.StartsWith(kind, StringComparison.Ordinal) == true)
            {
                steps = shorter;
                i = steps.Count;
            }
        }

        return (Perform(steps)!, [.. steps.Select(step => cluster.World.Inputs.Describe(step.Input, step.Witness))]);
    }

    private (int Witness, int State) MoveTo(int[] now, UInt128 next)
    {
        for (int i = 0; i < now.Length; i++)
        {
            UInt128 deliverable = cluster.DeliverableTo(i, now);
            int crashes = cluster.World.Options.Crashes - cluster.CrashesOfOthers(now, i);
            IEnumerable<int> targets = cluster.World.Options.IsReduced
                ? closures.Of(now[i], deliverable, crashes).Successors
                : closures.Steps(now[i], deliverable, crashes).Select(step => step.Next);
            int before = now[i];
            foreach (int target in targets)
            {
                now[i] = target;
                bool isIt = cluster.Pack(now) == next;
                now[i] = before;
                if (isIt)
                {
                    return (i, target);
                }
            }
        }

        throw new InvalidOperationException("A way through the states cannot be found again.");
    }

    private void Go(int[] now, int witness, int state, List<SmallStep> steps)
    {
        UInt128 deliverable = cluster.DeliverableTo(witness, now);
        int crashes = cluster.World.Options.Crashes - cluster.CrashesOfOthers(now, witness);
        List<int> way = closures.Way(now[witness], state, deliverable, crashes) ?? throw new InvalidOperationException("A way inside a witness cannot be found again.");
        steps.AddRange(way.Select(input => new SmallStep(witness, input)));
        now[witness] = state;
    }

    /// <summary>The violation that these steps lead to; null when there is none, or when one of them cannot happen.</summary>
    private string? Perform(List<SmallStep> steps)
    {
        int[] now = cluster.Unpack(0);
        foreach ((int witness, int input) in steps)
        {
            bool arrives = input >= cluster.World.Inputs.NetworkCount || (cluster.DeliverableTo(witness, now) & SmallInputs.Bit(input)) != 0;
            int next = arrives ? cluster.States.Next(now[witness], input) : WitnessState.Impossible;
            if (next < 0)
            {
                return null;
            }

            now[witness] = next;
            if (cluster.WhyWrong(now) is { } wrong)
            {
                return wrong;
            }
        }

        return cluster.World.Options.IsHealed ? healing.WhyStuck(now) : null;
    }
}
