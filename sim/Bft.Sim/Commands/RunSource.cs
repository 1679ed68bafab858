namespace Bft.Sim;

/// <summary>Where runs come from: a profile, a scenario, a user's plan. Gives the run of each seed.</summary>
/// <param name="Name">For people and reports.</param>
/// <param name="Request">The run of a seed.</param>
internal sealed record RunSource(string Name, Func<ulong, RunRequest> Request)
{
    /// <exception cref="CommandException">There is no such profile or scenario, or the plan is illegal.</exception>
    public static RunSource Of(SimInvocation sim)
    {
        if (sim.Get(SimOptions.Plan) is { } file)
        {
            RunPlan plan = PlanFile.Load(file);
            string name = Reproduction.PlanPrefix + file;
            return new RunSource(name, seed => new RunRequest(seed, plan) { Profile = name });
        }

        if (sim.Get(SimOptions.Scenario) is { } scenario)
        {
            return Of(Scenarios.Find(scenario) ?? throw new CommandException(ExitCode.Usage, $"there is no scenario '{scenario}'; --list has them all."));
        }

        string profile = sim.Get(SimOptions.Profile) ?? Profiles.Default;
        SimInvocation.Refuse(Profiles.All.All(known => known.Name != profile), $"there is no profile '{profile}'; there are {string.Join(", ", Profiles.All.Select(known => known.Name))}.");
        return new RunSource(profile, seed => new RunRequest(seed, Profiles.Draw(profile, seed)) { Profile = profile });
    }

    public static RunSource Of(Scenario scenario) =>
        new(scenario.Name, seed => new RunRequest(seed, scenario.Plan) { Profile = "scenario", Scenario = scenario.Name });
}
