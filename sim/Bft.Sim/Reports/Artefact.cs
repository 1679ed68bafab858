namespace Bft.Sim;

/// <summary>A failure that anybody can repeat: what ran, what was seen, and the smallest run in which it is still seen.</summary>
internal sealed record Artefact
{
    public const int CurrentFormat = 1;

    public int Format { get; init; } = CurrentFormat;

    /// <summary>Of the program that found it; with a commit, where the build knew one.</summary>
    public string Version { get; init; } = "";

    /// <summary>Planted bugs that were switched on.</summary>
    public IReadOnlyList<string> Plants { get; init; } = [];

    public required string Profile { get; init; }

    public string? Scenario { get; init; }

    public required ulong Seed { get; init; }

    public required RunPlan Plan { get; init; }

    /// <summary>Of the whole run.</summary>
    public required string Hash { get; init; }

    public required Violation Violation { get; init; }

    /// <summary>Names by index.</summary>
    public IReadOnlyList<string> Parties { get; init; } = [];

    /// <summary>Null when nobody shrank it, or the finding is none of one run (nondeterminism).</summary>
    public MinimalRun? Minimal { get; init; }

    public RunRequest Request => new(Seed, Plan) { Profile = Profile, Scenario = Scenario };

    /// <summary>What --replay performs.</summary>
    public RunRequest Smallest => Minimal is { } minimal ? Request with { Plan = minimal.Plan, Removed = new SortedSet<ChoiceId>(minimal.Removed) } : Request;
}

/// <summary>What shrinking left of a run.</summary>
internal sealed record MinimalRun
{
    public required RunPlan Plan { get; init; }

    /// <summary>Choices that were taken away.</summary>
    public required IReadOnlyList<ChoiceId> Removed { get; init; }

    /// <summary>For people: faults, broadcasts and attacks that are left.</summary>
    public required IReadOnlyList<string> Kept { get; init; }

    public required string Hash { get; init; }

    public required Violation Violation { get; init; }

    /// <summary>Deliveries, faults and application events (broadcasts, deliveries to applications) that are left.</summary>
    public required long Events { get; init; }

    /// <summary>The same of the whole run.</summary>
    public required long EventsBefore { get; init; }

    /// <summary>Runs that it took.</summary>
    public required int Runs { get; init; }
}
