using Bft.Sim.Tests.Support;

namespace Bft.Sim.Tests.Shrinking;

public sealed class ShrinkerTests
{
    private static readonly RunRequest Request = new(1, new RunPlan { Witnesses = 10, Byzantine = [AdversaryKind.Twins, AdversaryKind.Silent], Publishers = 3, Receivers = 2, Broadcasts = 16, LossPpm = 5_000, CrashPpm = 900, PayloadBytes = 999 });

    [Fact]
    public void Only_what_the_failure_needs_is_left()
    {
        FakeRuns runs = new(60, 300, (request, has) =>
            request.Plan.CrashPpm > 0 && request.Plan.Byzantine.Contains(AdversaryKind.Twins) && request.Plan.Publishers >= 2
            && has(FakeRuns.Fault(7)) && has(FakeRuns.Fault(41)) && has(FakeRuns.Broadcast(3)) && request.Plan.Broadcasts > 3
            && has(FakeRuns.Message(5)) && has(FakeRuns.Message(250)) ? "consistency" : null);

        MinimalRun minimal = new Shrinker(runs.Perform, new ShrinkLimits()).Shrink(Request)!;

        Assert.Equal(["crash 7", "crash 41", "broadcast 3"], minimal.Kept);
        Assert.Equal([AdversaryKind.Twins], minimal.Plan.Byzantine);
        Assert.Equal((4, 2, 0, 0), (minimal.Plan.Witnesses, minimal.Plan.Publishers, minimal.Plan.Receivers, minimal.Plan.LossPpm));
        Assert.Equal(16, minimal.Plan.PayloadBytes);
        Assert.Equal(4, minimal.Events); // two faults, two messages; a fake run has no log of broadcasts
        Assert.Equal("consistency", minimal.Violation.Checker);
    }

    [Fact]
    public void What_is_left_fails_in_the_same_way_again()
    {
        FakeRuns runs = new(20, 50, (_, has) => has(FakeRuns.Fault(3)) ? "order" : null);

        MinimalRun minimal = new Shrinker(runs.Perform, new ShrinkLimits()).Shrink(Request)!;

        RunResult again = runs.Perform(Request with { Plan = minimal.Plan, Removed = new SortedSet<ChoiceId>(minimal.Removed) }, false);
        Assert.Equal(("order", minimal.Hash), (again.Violation!.Checker, again.Hash));
    }

    [Fact]
    public void Another_checker_s_finding_is_another_failure()
    {
        // Without fault 0 something else is found: that is not what is being shrunk.
        FakeRuns runs = new(8, 8, (_, has) => has(FakeRuns.Fault(0)) ? "durability" : "order");

        MinimalRun minimal = new Shrinker(runs.Perform, new ShrinkLimits()).Shrink(Request)!;

        Assert.Equal(["crash 0"], minimal.Kept);
        Assert.Equal("durability", minimal.Violation.Checker);
    }

    [Theory]
    [InlineData("validity")]
    [InlineData("totality")]
    public void Messages_stay_where_taking_one_away_would_itself_be_the_failure(string checker)
    {
        FakeRuns runs = new(4, 100, (_, _) => checker);

        MinimalRun minimal = new Shrinker(runs.Perform, new ShrinkLimits()).Shrink(Request)!;

        Assert.Equal(100, minimal.Events);
    }

    [Fact]
    public void A_run_beyond_the_model_stays_beyond_it()
    {
        FakeRuns runs = new(4, 4, (_, _) => "consistency");
        RunRequest beyond = Request with { Plan = Request.Plan with { Witnesses = 4 } };

        MinimalRun minimal = new Shrinker(runs.Perform, new ShrinkLimits()).Shrink(beyond)!;

        Assert.Equal(2, minimal.Plan.Byzantine.Count);
    }

    [Fact]
    public void The_number_of_runs_is_bounded()
    {
        FakeRuns runs = new(500, 5_000, (_, has) => Enumerable.Range(0, 250).All(i => has(FakeRuns.Fault(2 * i))) ? "order" : null);

        MinimalRun minimal = new Shrinker(runs.Perform, new ShrinkLimits { Runs = 50 }).Shrink(Request)!;

        Assert.InRange(runs.Performed, 1, 50 + 2);
        Assert.Equal("order", minimal.Violation.Checker);
    }

    [Fact]
    public void What_does_not_fail_is_not_shrunk()
    {
        Assert.Null(new Shrinker(new FakeRuns(3, 3, (_, _) => null).Perform, new ShrinkLimits()).Shrink(Request));
    }
}
