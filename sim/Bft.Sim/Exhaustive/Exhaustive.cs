using System.Collections.Concurrent;
using System.Diagnostics;

namespace Bft.Sim.SmallScope;

/// <summary>Visits every state of a small scope: all orders, losses and repeats of messages, and a crash at every effect boundary.</summary>
/// <remarks>
/// The states are those of real <c>WitnessRole</c>s (<see cref="WitnessStates"/>), combined (<see cref="Cluster"/>) and reduced (<see cref="Closures"/>).
/// Checked in each: consistency, of what could be certified and of what is stored; W1, W7, C1, C2 and no equivocation of a correct witness
/// (<see cref="Replica"/>); and from each, validity and totality once the network is healed (<see cref="Healing"/>).
/// </remarks>
public static class Exhaustive
{
    /// <summary>Searches a scope, breadth first, until all is seen, a bound is reached, or something does not hold.</summary>
    /// <exception cref="ArgumentException">The scope is illegal.</exception>
    public static ExhaustiveReport Search(ExhaustiveOptions options, IProgress<ExhaustiveProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.WhyIllegal() is { } reason
            ? throw new ArgumentException($"The scope cannot be searched: {reason}", nameof(options))
            : new ScopeSearch(new SmallWorld(options), progress, cancellationToken).Run();
    }
}

/// <summary>Where something does not hold: in a global state, or once some of its witnesses have moved on unseen.</summary>
internal sealed record Finding(UInt128 State, (int Witness, int To)[] Moves);

/// <summary>One search.</summary>
internal sealed class ScopeSearch
{
    private readonly ExhaustiveOptions _options;
    private readonly IProgress<ExhaustiveProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly Cluster _cluster;
    private readonly Closures _closures;
    private readonly Healing _healing;
    private readonly VisitedStates _visited = new();
    private readonly ConcurrentQueue<Finding> _wrong = new();
    private long _transitions;

    public ScopeSearch(SmallWorld world, IProgress<ExhaustiveProgress>? progress, CancellationToken cancellation)
    {
        _options = world.Options;
        _progress = progress;
        _cancellation = cancellation;
        _cluster = new Cluster(world, new WitnessStates(world, cancellation));
        _closures = new Closures(world, _cluster.States);
        _healing = new Healing(_cluster);
    }

    private bool IsOver => !_wrong.IsEmpty || _cancellation.IsCancellationRequested || _cluster.States.IsFull || _visited.Count > _options.StatesMax;

    public ExhaustiveReport Run()
    {
        Stopwatch watch = Stopwatch.StartNew();
        List<UInt128> open = [0];
        _visited.Add(open[0], open[0]);
        int depth = 0;
        while (open.Count > 0)
        {
            List<UInt128> next = Expand(open);
            if (IsOver)
            {
                break;
            }

            open = next;
            depth++;
            _progress?.Report(new ExhaustiveProgress(_visited.Count, open.Count, depth, _cluster.States.Count));
        }

        (string Violation, IReadOnlyList<string> Steps)? found = _wrong.TryPeek(out Finding? wrong) ? new Story(_cluster, _closures, _healing).Of(WayTo(wrong.State), wrong) : null;
        return new ExhaustiveReport
        {
            Mode = _options.Mode,
            Options = _options,
            IsComplete = open.Count == 0 && found is null,
            States = _visited.Count,
            Transitions = _transitions,
            WitnessStates = _cluster.States.Count,
            WitnessTransitions = _cluster.States.Transitions,
            Healed = _healing.Count,
            Depth = depth,
            Bound = open.Count == 0 || found is not null ? null : WhyEnded(depth, open.Count),
            Elapsed = watch.Elapsed,
            Violation = found?.Violation,
            Steps = found?.Steps ?? [],
        };
    }

    private string WhyEnded(int depth, int open) =>
        (_cancellation.IsCancellationRequested ? "told to end"
            : _cluster.States.IsFull ? $"{_options.WitnessStatesMax} states of one witness"
            : $"{_options.StatesMax} states")
        + $": all states less than {depth} steps from the start are seen, of those {depth} steps away ({open}) a part is not expanded";

    private List<UInt128> Expand(List<UInt128> open)
    {
        ConcurrentBag<List<UInt128>> found = [];
        Parallel.ForEach(
            Partitioner.Create(0, open.Count, Math.Clamp(open.Count / (8 * _options.Threads), 1, 1024)),
            new ParallelOptions { MaxDegreeOfParallelism = _options.Threads },
            range =>
            {
                List<UInt128> next = [];
                for (int i = range.Item1; i < range.Item2 && !IsOver; i++)
                {
                    Expand(open[i], next);
                }

                found.Add(next);
            });
        return [.. found.SelectMany(next => next)];
    }

    private void Expand(UInt128 state, List<UInt128> next)
    {
        int[] witnesses = _cluster.Unpack(state);
        if (_cluster.WhyWrong(witnesses) is not null || (_options.IsHealed && _healing.WhyStuck(witnesses) is not null))
        {
            _wrong.Enqueue(new Finding(state, []));
            return;
        }

        if (_options.IsReduced)
        {
            ExpandReduced(state, witnesses, next);
            return;
        }

        for (int i = 0; i < witnesses.Length; i++)
        {
            foreach ((int _, int to) in _closures.Steps(witnesses[i], _cluster.DeliverableTo(i, witnesses), _options.Crashes - _cluster.CrashesOfOthers(witnesses, i)))
            {
                Visit(state, witnesses, i, to, next);
            }
        }
    }

    private void ExpandReduced(UInt128 state, int[] witnesses, List<UInt128> next)
    {
        Closure[] closures = new Closure[witnesses.Length];
        for (int i = 0; i < witnesses.Length; i++)
        {
            Closure closure = _closures.Of(witnesses[i], _cluster.DeliverableTo(i, witnesses), _options.Crashes - _cluster.CrashesOfOthers(witnesses, i));
            closures[i] = closure;
            foreach (int to in closure.Successors)
            {
                Visit(state, witnesses, i, to, next);
            }

            if (closure.Wrong is >= 0 and int wrong)
            {
                _wrong.Enqueue(new Finding(state, [(i, wrong)]));
            }
            else if (_options.IsHealed)
            {
                Heal(state, witnesses, i, closure.Quiet);
            }
        }

        for (int i = 0; i < closures.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                CompareTips(state, (i, closures[i].Tips), (j, closures[j].Tips));
            }
        }
    }

    /// <summary>Whatever two witnesses can have stored unseen, they can have stored at once.</summary>
    private void CompareTips(UInt128 state, (int Witness, int[] Tips) one, (int Witness, int[] Tips) other)
    {
        foreach (int mine in one.Tips)
        {
            foreach (int theirs in other.Tips)
            {
                if (_cluster.WhyApart(_cluster.States[mine].Tip, _cluster.States[theirs].Tip) is not null)
                {
                    _wrong.Enqueue(new Finding(state, [(one.Witness, mine), (other.Witness, theirs)]));
                }
            }
        }
    }

    private void Heal(UInt128 state, int[] witnesses, int self, int[] quiet)
    {
        int[] now = [.. witnesses];
        foreach (int to in quiet)
        {
            now[self] = to;
            if (_healing.WhyStuck(now) is not null)
            {
                _wrong.Enqueue(new Finding(state, [(self, to)]));
                return;
            }
        }
    }

    private void Visit(UInt128 from, int[] witnesses, int self, int to, List<UInt128> next)
    {
        Interlocked.Increment(ref _transitions);
        int before = witnesses[self];
        witnesses[self] = to;
        UInt128 state = _cluster.Pack(witnesses);
        witnesses[self] = before;
        if (_visited.Add(state, from))
        {
            next.Add(state);
        }
    }

    private List<UInt128> WayTo(UInt128 state)
    {
        List<UInt128> way = [state];
        for (UInt128 origin = _visited.OriginOf(state); origin != way[^1]; origin = _visited.OriginOf(origin))
        {
            way.Add(origin);
        }

        way.Reverse();
        return way;
    }
}
