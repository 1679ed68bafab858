using System.Globalization;
using Bft.Style.Tests;
using Xunit.Abstractions;

namespace Bft.Sim.Tests.Slice;

/// <summary>What is run on each change: many seeds, all scenarios, and the gate of planted bugs. Together below ten minutes on two quiet cores.</summary>
public sealed class SliceTests(ITestOutputHelper output)
{
    private const ulong FirstSeed = 1;
    private const ulong LastSeed = 2_000;
    private static readonly TimeSpan GateLimit = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task Two_thousand_swarm_seeds_hold()
    {
        Campaign campaign = new((request, withTrace) => Run.Perform(request, withTrace), seed => new RunRequest(seed, Sim.Profiles.Draw("swarm", seed)) { Profile = "swarm" });

        await campaign.RunAsync(FirstSeed, LastSeed, CancellationToken.None);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{campaign.Tally.Runs} runs, {campaign.Tally.Deliveries} deliveries, {campaign.Clock.Elapsed.TotalSeconds:0.0} s"));
        Assert.True(campaign.Tally.FailureCount == 0, string.Join('\n', campaign.Tally.Failures.Select(SummaryText.OfFinding)));
        Assert.Equal((long)(LastSeed - FirstSeed + 1), (long)campaign.Tally.Runs);
    }

    /// <summary>Each was a defect once: of a publisher that took what was covered for what comes again, of a receiver that stuck to a liar, told a skip too early, …; or of a checker.</summary>
    [Theory]
    [InlineData(1035523)]
    [InlineData(1051156)]
    [InlineData(1058379)]
    [InlineData(1073311)]
    [InlineData(1084037)]
    [InlineData(1094833)]
    [InlineData(1102098)]
    [InlineData(1106060)]
    [InlineData(1046)]
    public async Task Seeds_that_failed_once_hold(ulong seed)
    {
        Campaign campaign = new((request, withTrace) => Run.Perform(request, withTrace), drawn => new RunRequest(drawn, Sim.Profiles.Draw("swarm", drawn)) { Profile = "swarm" });

        await campaign.RunAsync(seed, seed, CancellationToken.None);

        Assert.True(campaign.Tally.FailureCount == 0, string.Join('\n', campaign.Tally.Failures.Select(SummaryText.OfFinding)));
    }

    [Fact]
    public async Task Every_scenario_holds_and_the_positive_control_is_seen()
    {
        foreach (Scenario scenario in Sim.Scenarios.All)
        {
            Campaign campaign = new((request, withTrace) => Run.Perform(request, withTrace), RunSource.Of(scenario).Request);

            await campaign.RunAsync(1, 2, CancellationToken.None);

            Assert.True(campaign.Tally.FailureCount == 0, string.Join('\n', campaign.Tally.Failures.Select(SummaryText.OfFinding)));
            Assert.Equal(scenario.MustBeSeen, campaign.Tally.Findings.Count > 0);
        }
    }

    [Fact]
    public void One_changed_bit_of_a_plan_changes_the_run()
    {
        RunRequest request = new(11, Sim.Profiles.Draw("quick", 11));

        string hash = Run.Perform(request).Hash;

        Assert.Equal(hash, Run.Perform(request).Hash);
        Assert.NotEqual(hash, Run.Perform(request with { Plan = request.Plan with { PayloadBytes = request.Plan.PayloadBytes ^ 1 } }).Hash);
    }

    [Fact]
    public async Task Every_planted_bug_is_found()
    {
        string program = Path.Combine(Repository.Root, "sim/Bft.Sim/bin/Planted/net10.0/Bft.Sim");
        Assert.True(File.Exists(program), $"{program} is not there. Run: dotnet build sim/Bft.Sim -c Planted (./bft test does).");

        (int code, string text, string error) = await SimProcess.RunAsync(program, Repository.Root, GateLimit, "--prove", "--no-shrink");

        output.WriteLine(text);
        Assert.True(code == 0, text + error);
    }
}
