namespace Bft.Sim;

/// <summary>A run with a plot: a cluster, and a director who brings a named danger about. Seeds vary all that the plot leaves open.</summary>
/// <param name="Name">As after --scenario: lower case, words joined by '-'.</param>
/// <param name="Line">One line for --list.</param>
/// <param name="Plan">The cluster and its usual faults.</param>
internal sealed record Scenario(string Name, string Line, RunPlan Plan)
{
    /// <summary>Given the simulated cluster before its first event; null when the plan says all.</summary>
    public Action<object>? Direct { get; init; }

    /// <summary>A positive control: a checker must see something, or the checkers are blind.</summary>
    public bool MustBeSeen { get; init; }
}
