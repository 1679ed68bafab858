namespace Bft.Sim.SmallScope;

/// <summary>How far a search has come.</summary>
/// <param name="States">Global states visited.</param>
/// <param name="Open">Of those, not yet expanded.</param>
/// <param name="Depth">Steps from the start.</param>
/// <param name="WitnessStates">States of a single witness.</param>
public readonly record struct ExhaustiveProgress(long States, long Open, int Depth, int WitnessStates);

/// <summary>What a search found.</summary>
public sealed record ExhaustiveReport
{
    /// <summary>The scope in words.</summary>
    public required string Mode { get; init; }

    public required ExhaustiveOptions Options { get; init; }

    /// <summary>Every state of the scope was visited, and none was wrong.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>Global states visited, up to rotation of the correct witnesses.</summary>
    public required long States { get; init; }

    /// <summary>Steps taken between global states.</summary>
    public required long Transitions { get; init; }

    /// <summary>Different states of a single witness, each a product object that was really driven there.</summary>
    public required int WitnessStates { get; init; }

    /// <summary>Inputs given to product objects.</summary>
    public required long WitnessTransitions { get; init; }

    /// <summary>States from which the network was healed, to see validity and totality come about.</summary>
    public required long Healed { get; init; }

    /// <summary>The longest way from the start that was searched whole; in steps, or in sends when the search is reduced.</summary>
    public required int Depth { get; init; }

    /// <summary>Why the search ended early, and where; null when it is complete or found a violation.</summary>
    public string? Bound { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>What does not hold; null when all does.</summary>
    public string? Violation { get; init; }

    /// <summary>The steps that lead there, one per line; none of them can be left out.</summary>
    public IReadOnlyList<string> Steps { get; init; } = [];
}
