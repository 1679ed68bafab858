#if PLANTED
using Bft.Crypto;
#endif

namespace Bft.Sim;

/// <summary>Bugs compiled into the core as switches, in the configuration Planted alone: the simulator proves on them that it finds bugs.</summary>
internal static class PlantedBugs
{
    private static string? _planted;

    /// <summary>Those that this process switched on, by name.</summary>
    public static IReadOnlyList<string> Active => _planted is { } name ? [name] : [];

#if PLANTED
    /// <summary>Each with one line for --list-plants.</summary>
    public static IReadOnlyList<(string Name, string Line)> All { get; } = [.. Planted.All.Select(bug => (bug.Name, bug.What))];
#else
    /// <summary>Each with one line for --list-plants. A release has none.</summary>
    public static IReadOnlyList<(string Name, string Line)> All => [];
#endif

    /// <summary>Switches one on for the rest of the process, or until the next is.</summary>
    /// <returns>False when this build has none of this name.</returns>
    public static bool TryPlant(string name)
    {
        bool isKnown = All.Any(bug => bug.Name == name);
        _planted = isKnown ? name : _planted;
        return isKnown;
    }

    /// <summary>Performs a run with the bug that is planted, on whichever thread.</summary>
    public static RunResult Perform(RunRequest request, bool withTrace)
    {
#if PLANTED
        Planted.Active = _planted;
#endif
        return Run.Perform(request, withTrace);
    }
}
