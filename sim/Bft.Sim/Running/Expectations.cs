namespace Bft.Sim;

/// <summary>Which findings are no failure: a checker says itself what may break beyond the model, and there are positive controls.</summary>
internal static class Expectations
{
    /// <summary>A run's finding: a failure before what was expected; null when there is neither.</summary>
    public static Finding? Of(RunResult result, Violation? divergence) =>
        (divergence ?? result.Violation) is { } violation ? new Finding(result.Request, violation, result.Hash, IsExpected: divergence is null && MustBeSeen(result.Request))
        : result.Expected is { } expected ? new Finding(result.Request, expected, result.Hash, IsExpected: true)
        : null;

    /// <summary>A positive control: a violation must be seen.</summary>
    public static bool MustBeSeen(RunRequest request) => request.Scenario is { } name && Scenarios.Find(name) is { MustBeSeen: true };
}
