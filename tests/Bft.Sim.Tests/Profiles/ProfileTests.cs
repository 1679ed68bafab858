namespace Bft.Sim.Tests.Profiles;

public sealed class ProfileTests
{
    private const int Seeds = 2_000;

    public static TheoryData<string> Names => [.. Sim.Profiles.All.Select(profile => profile.Name).Where(name => name != Sim.Profiles.Exhaustive)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_plan_is_legal(string name)
    {
        Assert.All(Plans(name), plan => Assert.Null(PlanKeys.WhyIllegal(plan)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Faulty_witnesses_are_at_most_f_but_beyond_f(string name)
    {
        Assert.All(Plans(name), plan => Assert.Equal(name == Sim.Profiles.BeyondF, plan.Byzantine.Count > plan.FaultyMax));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_seed_means_the_same_every_time(string name)
    {
        Assert.All(Enumerable.Range(0, 50), seed => Assert.Equal(Text(Sim.Profiles.Draw(name, (ulong)seed)), Text(Sim.Profiles.Draw(name, (ulong)seed))));
    }

    [Fact]
    public void Swarm_draws_every_size_and_every_adversary()
    {
        RunPlan[] plans = [.. Plans("swarm")];

        Assert.Equal([4, 5, 6, 7, 8, 9, 10, 13], plans.Select(plan => plan.Witnesses).Distinct().Order());
        Assert.Equal(Enum.GetValues<AdversaryKind>(), plans.SelectMany(plan => plan.Byzantine).Distinct().Order());
        Assert.Superset(new HashSet<int> { 1, 2, 3, 4 }, plans.Select(plan => plan.WindowSlots).ToHashSet());
        Assert.True(plans.Count(plan => plan.Byzantine.Count == plan.FaultyMax) > Seeds / 4);
        Assert.InRange(plans.Count(plan => plan.RealSignatures), Seeds / 100, Seeds / 20);
    }

    [Fact]
    public void Swarm_switches_each_fault_off_in_some_seeds_and_on_in_others()
    {
        RunPlan[] plans = [.. Plans("swarm")];

        Assert.All(PlanKeys.All.Where(key => key.IsWeight), key =>
        {
            int on = plans.Count(plan => key.Get(plan) > 0);
            Assert.True(on > Seeds / 10 && on < Seeds * 19 / 20, $"{key.Name} is on in {on} of {Seeds} seeds.");
        });
        Assert.True(plans.Max(plan => plan.LossPpm) > 200_000 && plans.Max(plan => plan.DuplicatePpm) > 400_000);
        Assert.All(plans, plan => Assert.InRange(plan.Broadcasts, 2, 60));
    }

    [Fact]
    public void Every_number_of_a_plan_has_a_key()
    {
        IEnumerable<string> properties = typeof(RunPlan).GetProperties().Where(property => property.CanWrite && property.Name != nameof(RunPlan.Byzantine)).Select(property => property.Name);

        Assert.Equal(properties.Order(StringComparer.Ordinal), PlanKeys.All.Select(key => key.Property).Order(StringComparer.Ordinal));
    }

    private static string Text(RunPlan plan) => PlanFile.ToYaml(plan, "");

    private static IEnumerable<RunPlan> Plans(string name) => Enumerable.Range(1, Seeds).Select(seed => Sim.Profiles.Draw(name, (ulong)seed));
}
