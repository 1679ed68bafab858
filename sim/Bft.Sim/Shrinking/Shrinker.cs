using System.Diagnostics;

namespace Bft.Sim;

/// <summary>Makes a failing run small: takes away what it can of faults, broadcasts, parties, messages and wild numbers, as long as the same checker finds something.</summary>
internal sealed class Shrinker(Func<RunRequest, bool, RunResult> perform, ShrinkLimits limits, Action<ShrinkProgress>? progress = null)
{
    private const int RoundsMax = 6;

    /// <summary>Taking away a message that a correct party must get would itself break these.</summary>
    private static readonly string[] Live = ["validity", "totality"];

    /// <summary>Sizes of the cluster: <see cref="WithoutParties"/> lowers them.</summary>
    private static readonly string[] Sizes = [nameof(RunPlan.Witnesses), nameof(RunPlan.Publishers), nameof(RunPlan.ByzantinePublishers), nameof(RunPlan.Receivers), nameof(RunPlan.ByzantineReceivers), nameof(RunPlan.Broadcasts)];

    private readonly Stopwatch _clock = new();
    private string _checker = "";
    private string _phase = "";
    private bool _isBeyondModel;
    private RunResult _best = null!;
    private int _runs;

    private bool IsOver => _runs >= limits.Runs || _clock.Elapsed >= limits.Time || limits.Stop.IsCancellationRequested;

    private bool IsLive => Live.Contains(_checker, StringComparer.Ordinal);

    private long Size => SizeOf(_best);

    /// <summary>Shrinks a run.</summary>
    /// <param name="request">One that fails.</param>
    /// <returns>The smallest that was reached; null when the request does not fail.</returns>
    public MinimalRun? Shrink(RunRequest request)
    {
        _clock.Restart();
        _runs = 0;
        RunResult whole = perform(request, true);
        if (whole.Violation is not { } found)
        {
            return null;
        }

        (_best, _checker) = (whole with { Trace = null }, found.Checker);
        _isBeyondModel = IsBeyond(request.Plan);
        Reduce();
        RunResult last = perform(_best.Request, true);
        return new MinimalRun
        {
            Plan = last.Request.Plan,
            Removed = [.. last.Request.Removed.Order()],
            Kept = [.. last.Faults.Select(fault => fault.What)],
            Hash = last.Hash,
            Violation = last.Violation ?? found,
            Events = EventsOf(last),
            EventsBefore = EventsOf(whole),
            Runs = _runs,
        };
    }

    /// <summary>Deliveries but of heartbeats and the like, faults, and what applications did: broadcast and were given.</summary>
    public static long EventsOf(RunResult traced) =>
        (traced.Trace is { Count: > 0 } trace ? trace.Events.Count(happened => happened.Kind == TraceKind.Deliver && !MessageKind.IsHousekeeping(happened.Text)) : traced.Deliveries)
        + traced.Faults.Count(fault => fault.Id.Stream != ChoiceStream.Workload)
        + (traced.Trace?.Events.Count(happened => happened.Kind is TraceKind.Broadcast or TraceKind.Delivered) ?? 0);

    /// <summary>Coarse and cheap first. What a step makes possible may help an earlier one, hence rounds.</summary>
    private void Reduce()
    {
        for (int round = 0; round < RoundsMax && !IsOver; round++)
        {
            RunRequest before = _best.Request;
            long size = Size;
            In("fault kinds", WithoutWeights);
            In("parties", WithoutParties);
            In("numbers", WithMildNumbers);
            In("faults", () => Without(result => result.Faults.Select(fault => fault.Id).Where(id => id.Stream != ChoiceStream.Workload)));
            In("broadcasts", () => Without(result => result.Faults.Select(fault => fault.Id).Where(id => id.Stream == ChoiceStream.Workload)));
            In("parties", WithoutParties);
            In("messages", WithoutMessages);
            if (ReferenceEquals(before, _best.Request) || (round > 0 && Size >= size))
            {
                break;
            }
        }
    }

    private void In(string phase, Action reduce)
    {
        _phase = phase;
        progress?.Invoke(new ShrinkProgress(phase, _runs, Size));
        if (!IsOver)
        {
            reduce();
        }
    }

    private void WithoutWeights()
    {
        // All at once, when they matter to nothing.
        TryPlan(PlanKeys.All.Where(key => key.IsWeight).Aggregate(_best.Request.Plan, (plan, key) => key.With(plan, 0)));
        foreach (PlanKey key in PlanKeys.All.Where(key => key.IsWeight && key.Get(_best.Request.Plan) > 0))
        {
            TryPlan(key.With(_best.Request.Plan, 0));
        }
    }

    /// <summary>Takes choices away, all that a run made of a kind; the smaller run may make others, so again until nothing helps.</summary>
    private void Without(Func<RunResult, IEnumerable<ChoiceId>> choices)
    {
        for (int round = 0; round < RoundsMax && !IsOver; round++)
        {
            ChoiceId[] all = [.. choices(_best).Distinct()];
            List<ChoiceId> kept = DeltaDebugging.Minimise(all, rest => TryRemoving(all, rest));
            if (kept.Count == all.Length)
            {
                return;
            }
        }
    }

    /// <summary>Whole links first: most matter to nothing.</summary>
    private void WithoutMessages()
    {
        if (IsLive)
        {
            return;
        }

        for (int round = 0; round < RoundsMax && !IsOver; round++)
        {
            long before = _best.Deliveries;
            ChoiceId[] all = [.. _best.Arrivals.Distinct()];
            int[] links = [.. all.Select(id => id.Entity).Distinct()];
            List<int> keptLinks = DeltaDebugging.Minimise(links, some => TryRemoving(all, [.. all.Where(id => some.Contains(id.Entity))], mustShrink: true));
            ChoiceId[] left = [.. all.Where(id => keptLinks.Contains(id.Entity) && !_best.Request.Removed.Contains(id))];
            DeltaDebugging.Minimise(left, rest => TryRemoving(left, rest, mustShrink: true));
            if (_best.Deliveries >= before)
            {
                return;
            }
        }
    }

    private void WithoutParties()
    {
        RunPlan whole = _best.Request.Plan;
        TryPlan(whole with { Witnesses = 4, Publishers = Math.Min(1, whole.Publishers), Receivers = Math.Min(1, whole.Receivers), Byzantine = [.. whole.Byzantine.Take(_isBeyondModel ? 2 : 1)], Broadcasts = Math.Min(3, whole.Broadcasts) });
        bool isSmaller = true;
        while (isSmaller && !IsOver)
        {
            RunPlan plan = _best.Request.Plan;
            IEnumerable<RunPlan> smaller =
            [
                .. Enumerable.Range(0, plan.Byzantine.Count).Select(i => plan with { Byzantine = [.. plan.Byzantine.Where((_, index) => index != i)] }),
                plan with { ByzantinePublishers = plan.ByzantinePublishers - 1 },
                plan with { ByzantineReceivers = plan.ByzantineReceivers - 1 },
                plan with { Receivers = plan.Receivers - 1 },
                plan with { Publishers = plan.Publishers - 1 },
                .. plan.Broadcasts == 0 ? Array.Empty<RunPlan>() : [plan with { Broadcasts = plan.Broadcasts / 2 }],
                plan with { Witnesses = plan.Witnesses - 1 },
            ];
            isSmaller = smaller.Any(TryPlan);
        }
    }

    private void WithMildNumbers()
    {
        PlanKey[] numbers = [.. PlanKeys.All.Where(key => !Sizes.Contains(key.Property, StringComparer.Ordinal) && key.Property != nameof(RunPlan.HealMilliseconds))];
        RunPlan mild = numbers.Where(key => !key.IsWeight).Aggregate(_best.Request.Plan, (plan, key) => key.With(plan, key.Mild));
        TryPlan(mild);
        foreach (PlanKey key in numbers)
        {
            // Half the way, again and again, when the whole is too much.
            int value = key.Get(_best.Request.Plan);
            if (value == key.Mild || TryPlan(key.With(_best.Request.Plan, key.Mild)) || key.IsSwitch)
            {
                continue;
            }

            for (int next = value + ((key.Mild - value) / 2); next != value && TryPlan(key.With(_best.Request.Plan, next)); next = value + ((key.Mild - value) / 2))
            {
                value = next;
            }
        }
    }

    private bool TryPlan(RunPlan plan) =>
        PlanKeys.WhyIllegal(plan) is null && IsBeyond(plan) == _isBeyondModel && Try(_best.Request with { Plan = plan }, mustShrink: false);

    private bool TryRemoving(IReadOnlyList<ChoiceId> all, IReadOnlyList<ChoiceId> kept, bool mustShrink = false)
    {
        SortedSet<ChoiceId> removed = [.. _best.Request.Removed, .. all];
        removed.ExceptWith(kept);
        return Try(_best.Request with { Removed = removed }, mustShrink);
    }

    private bool Try(RunRequest smaller, bool mustShrink)
    {
        if (IsOver)
        {
            return false;
        }

        RunResult result = perform(smaller, false);
        _runs++;
        progress?.Invoke(new ShrinkProgress(_phase, _runs, Size));
        if (result.Violation?.Checker != _checker || (mustShrink && result.Deliveries >= _best.Deliveries))
        {
            return false;
        }

        _best = result;
        return true;
    }

    private static bool IsBeyond(RunPlan plan) => plan.Byzantine.Count > plan.FaultyMax;

    private static long SizeOf(RunResult result) => result.Deliveries + result.Faults.Count;
}
