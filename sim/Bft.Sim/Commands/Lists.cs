namespace Bft.Sim;

/// <summary>What there is: scenarios, planted bugs, a seed's plan.</summary>
internal static class Lists
{
    public static Task<int> ScenariosAsync(SimInvocation sim) => Print(Scenarios.All.Select(scenario => (scenario.Name, scenario.Line)));

    public static Task<int> PlantsAsync(SimInvocation sim)
    {
        SimInvocation.Refuse(PlantedBugs.All.Count == 0, "this build has no planted bugs; start it as ./bft sim --list-plants.");
        return Print(PlantedBugs.All);
    }

    public static Task<int> PlanAsync(SimInvocation sim)
    {
        ulong seed = sim.Get(SimOptions.Seed) ?? 1;
        RunSource source = RunSource.Of(sim);
        Console.Out.Write(PlanFile.ToYaml(source.Request(seed).Plan, $"A plan for `bft sim --plan FILE`: seed {seed} of {source.Name}."));
        return Task.FromResult((int)ExitCode.Ok);
    }

    private static Task<int> Print(IEnumerable<(string Name, string Line)> rows)
    {
        (string Name, string Line)[] all = [.. rows];
        int width = all.Max(row => row.Name.Length);
        foreach ((string name, string line) in all)
        {
            Console.Out.WriteLine($"{name.PadRight(width)}  {line}");
        }

        return Task.FromResult((int)ExitCode.Ok);
    }
}
