namespace Bft.Sim.Tests.Running;

public sealed class ExpectationTests
{
    private static readonly Violation Seen = new("consistency", "made up", 0, []);

    private static readonly RunResult Result = new(new RunRequest(1, new RunPlan())) { Hash = "0", Events = 0, Deliveries = 0, VirtualTime = 0 };

    [Fact]
    public void What_may_break_beyond_the_model_is_no_failure()
    {
        Assert.True(Expectations.Of(Result with { Expected = Seen }, null)!.IsExpected);
        Assert.False(Expectations.Of(Result with { Violation = Seen }, null)!.IsExpected);
        Assert.Null(Expectations.Of(Result, null));
    }

    [Fact]
    public void A_failure_is_told_before_what_was_expected()
    {
        Violation other = new("accountability", "made up", 0, []);

        Assert.Equal((other, false), Pair(Expectations.Of(Result with { Expected = Seen, Violation = other }, null)!));
        Assert.Equal((other, false), Pair(Expectations.Of(Result with { Expected = Seen }, other)!));
    }

    private static (Violation Violation, bool IsExpected) Pair(Finding finding) => (finding.Violation, finding.IsExpected);
}
