namespace Bft.Sim;

/// <summary>A run with a plot: a cluster, and a director who brings a named danger about. Seeds vary all that the plot leaves open.</summary>
/// <param name="Name">As after --scenario: lower case, words joined by '-'.</param>
/// <param name="Line">One line for --list.</param>
/// <param name="Plan">The cluster and its usual faults.</param>
/// <param name="Probe">What some seed must reach, or the scenario shows nothing.</param>
internal sealed record Scenario(string Name, string Line, RunPlan Plan, string Probe)
{
    /// <summary>Given the stage before the first event; null when the plan says all.</summary>
    public Action<Stage>? Direct { get; init; }

    /// <summary>A positive control: a checker must see something, or the checkers are blind.</summary>
    public bool MustBeSeen { get; init; }

    public RunRequest RequestOf(ulong seed) => new(seed, Plan) { Profile = Name, Scenario = Name };
}
