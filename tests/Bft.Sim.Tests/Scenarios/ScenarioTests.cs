namespace Bft.Sim.Tests.Scenarios;

public sealed class ScenarioTests
{
    private const ulong Seeds = 4;

    public static TheoryData<string> Names => [.. Sim.Scenarios.All.Select(scenario => scenario.Name).Where(name => name != "retention-and-a-laggard")];

    [Theory]
    [MemberData(nameof(Names))]
    public void Shows_its_danger_and_what_checkers_find_is_what_it_expects(string name)
    {
        Scenario scenario = Sim.Scenarios.Find(name)!;
        int reached = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            RunResult result = Run.Perform(scenario.RequestOf(seed));

            Assert.True(result.Violation is null || scenario.MustBeSeen, $"seed {seed}: {result.Violation}");
            Assert.Equal(scenario.MustBeSeen, result.Expected is not null);
            reached += result.Probes.ContainsKey(scenario.Probe) ? 1 : 0;
        }

        Assert.True(reached > 0, $"No seed reached '{scenario.Probe}'.");
    }

    [Fact]
    public void Names_are_words_joined_by_hyphens_and_none_comes_twice()
    {
        Assert.All(Sim.Scenarios.All, scenario => Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", scenario.Name));
        Assert.Equal(Sim.Scenarios.All.Count, Sim.Scenarios.All.DistinctBy(scenario => scenario.Name).Count());
        Assert.Null(Sim.Scenarios.Find("no-such"));
    }

    [Fact]
    public void A_director_and_its_seed_are_all_the_chance_there_is()
    {
        Scenario scenario = Sim.Scenarios.Find("equivocation-along-a-partition")!;

        Assert.Equal(Run.Perform(scenario.RequestOf(3)).Hash, Run.Perform(scenario.RequestOf(3), withTrace: true).Hash);
        Assert.NotEqual(Run.Perform(scenario.RequestOf(3)).Hash, Run.Perform(scenario.RequestOf(4)).Hash);
    }
}
