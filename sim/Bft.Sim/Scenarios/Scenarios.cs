namespace Bft.Sim;

/// <summary>The library of scenarios.</summary>
internal static class Scenarios
{
    /// <summary>In the order of --list.</summary>
    public static IReadOnlyList<Scenario> All { get; } = [.. Clusters.All, .. Equivocations.All, .. Withholding.All, .. Forgeries.All, .. Disks.All, .. Networks.All, .. Publishers.All];

    /// <summary>The scenario of this name; null when there is none.</summary>
    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
