namespace Bft.Sim;

/// <summary>Which findings are no failure: beyond the model only some properties must hold.</summary>
internal static class Expectations
{
    /// <summary>With more than f faulty parties these may break; nothing else.</summary>
    private static readonly string[] Breakable = ["consistency", "integrity", "validity", "totality", "durability", "equivocation"];

    public static bool IsExpected(RunRequest request, Violation violation) =>
        (request.Plan.Byzantine.Count > request.Plan.FaultyMax || MustBeSeen(request)) && Breakable.Contains(violation.Checker, StringComparer.Ordinal);

    /// <summary>A positive control.</summary>
    public static bool MustBeSeen(RunRequest request) => request.Scenario is { } name && Scenarios.Find(name) is { MustBeSeen: true };
}
