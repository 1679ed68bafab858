namespace Bft.Sim.Tests.Running;

public sealed class CampaignTests
{
    [Fact]
    public async Task What_is_reported_does_not_depend_on_threads()
    {
        string[] reports = await Task.WhenAll(new[] { 1, 3, 8 }.Select(async threads =>
        {
            Campaign campaign = new(Perform, Request) { Threads = threads, FailuresMax = 4 };
            await campaign.RunAsync(1, 500, CancellationToken.None);
            return $"{campaign.Tally.Runs} {campaign.Tally.Events} {campaign.Tally.Repeated} {string.Join(',', campaign.Tally.Findings.Select(finding => finding.Request.Seed))} {campaign.Tally.Probes["even"]}";
        }));

        Assert.StartsWith("148 ", reports[0], StringComparison.Ordinal);
        Assert.Contains(" 37,74,111,148 ", reports[0], StringComparison.Ordinal);
        Assert.All(reports, report => Assert.Equal(reports[0], report));
    }

    [Fact]
    public async Task Passes_are_repeated_now_and_then_and_failures_always()
    {
        Campaign campaign = new(Perform, Request) { FailuresMax = int.MaxValue };

        await campaign.RunAsync(1, 2_000, CancellationToken.None);

        Assert.Equal(2_000 / 37, campaign.Tally.FailureCount);
        Assert.InRange(campaign.Tally.Repeated - campaign.Tally.FailureCount, 60, 140);
    }

    [Fact]
    public async Task A_run_that_differs_the_second_time_is_a_failure()
    {
        int calls = 0;
        Campaign campaign = new((request, withTrace) => Perform(request, withTrace) with { Hash = $"{Interlocked.Increment(ref calls)}" }, Request);

        await campaign.RunAsync(1, 200, CancellationToken.None);

        Assert.All(campaign.Tally.Findings, finding => Assert.Equal(Divergence.Checker, finding.Violation.Checker));
        Assert.NotEmpty(campaign.Tally.Findings);
    }

    [Fact]
    public async Task The_last_seed_of_all_is_run_and_none_after_it()
    {
        Campaign campaign = new(Perform, Request) { FailuresMax = int.MaxValue };

        await campaign.RunAsync(ulong.MaxValue - 2, ulong.MaxValue, CancellationToken.None);

        Assert.Equal(3, campaign.Tally.Runs);
    }

    [Fact]
    public void The_first_difference_of_two_logs_is_shown_side_by_side()
    {
        string difference = Divergence.Between(["a", "b", "c"], ["a", "b", "d"])!;

        Assert.Equal("the first difference is at line 3:\n  both    a\n  both    b\n  first   c\n  second  d", difference);
        Assert.Null(Divergence.Between(["a"], ["a"]));
        Assert.Contains("second  (the end)", Divergence.Between(["a", "b"], ["a"]), StringComparison.Ordinal);
    }

    private static RunRequest Request(ulong seed) => new(seed, new RunPlan()) { Profile = "quick" };

    private static RunResult Perform(RunRequest request, bool withTrace) => new(request)
    {
        Hash = $"{request.Seed}",
        Events = (long)(request.Seed % 1_000),
        Deliveries = 1,
        VirtualTime = 1_000_000_000,
        Violation = request.Seed % 37 == 0 ? new Violation("order", "made up", 0, []) : null,
        Probes = new SortedDictionary<string, long>(StringComparer.Ordinal) { [request.Seed % 2 == 0 ? "even" : "odd"] = 1 },
        Trace = withTrace ? new Trace() : null,
    };
}
