namespace Bft.Sim;

/// <summary>The library of scenarios.</summary>
internal static class Scenarios
{
    /// <summary>In the order of --list.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("calm", "nothing goes wrong: four witnesses, two publishers, two receivers", new RunPlan { Publishers = 2, Receivers = 2 }),
    ];

    /// <summary>The scenario of this name; null when there is none.</summary>
    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
