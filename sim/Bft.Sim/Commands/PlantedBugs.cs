namespace Bft.Sim;

/// <summary>Bugs compiled into the core as switches, in the configuration Planted alone: the simulator proves on them that it finds bugs.</summary>
internal static class PlantedBugs
{
    /// <summary>Those that this process switched on, by name.</summary>
    public static IReadOnlyList<string> Active => [];

    /// <summary>Each with one line for --list-plants. A release has none.</summary>
    public static IReadOnlyList<(string Name, string Line)> All => [];

    /// <summary>Switches one on for the rest of the process.</summary>
    /// <returns>False when this build has none of this name.</returns>
    public static bool TryPlant(string name) => false;
}
