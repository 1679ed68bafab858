using System.Globalization;

namespace Bft.Sim;

/// <summary>Commands that can be copied.</summary>
internal static class Reproduction
{
    /// <summary>The launcher where it is in this directory.</summary>
    private static string Program => File.Exists("bft") ? "./bft sim" : "bft sim";

    /// <summary>A user's own plan, as named on the command line; the profile of its runs says so.</summary>
    public const string PlanPrefix = "plan:";

    /// <summary>The whole run, as it was found.</summary>
    public static string Command(RunRequest request)
    {
        string source = request.Scenario is { } scenario ? $"--scenario {scenario}"
            : request.Profile.StartsWith(PlanPrefix, StringComparison.Ordinal) ? $"--plan {Quoted(request.Profile[PlanPrefix.Length..])}"
            : $"--profile {request.Profile}";
        return string.Create(CultureInfo.InvariantCulture, $"{Program}{Plants()} --seed {request.Seed} {source}");
    }

    /// <summary>The smallest run that an artefact holds.</summary>
    public static string Replay(string artefact) => $"{Program}{Plants()} --replay {Quoted(artefact)}";

    private static string Plants() => string.Concat(PlantedBugs.Active.Select(name => $" --plant {name}"));

    private static string Quoted(string path) => path.All(letter => char.IsLetterOrDigit(letter) || "/._-+=:".Contains(letter, StringComparison.Ordinal)) ? path : $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
