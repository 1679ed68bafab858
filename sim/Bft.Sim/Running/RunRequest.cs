namespace Bft.Sim;

/// <summary>Which run: the same request gives the same run, on any machine.</summary>
/// <param name="Seed">All chance.</param>
/// <param name="Plan">All else.</param>
public sealed record RunRequest(ulong Seed, RunPlan Plan)
{
    /// <summary>The profile or scenario that the plan came from.</summary>
    public string Profile { get; init; } = "";

    /// <summary>What shrinking took away.</summary>
    public IReadOnlySet<ChoiceId> Removed { get; init; } = new SortedSet<ChoiceId>();

    /// <summary>A scenario's director; null for a plain run.</summary>
    public string? Scenario { get; init; }
}

/// <summary>What a run gave.</summary>
public sealed record RunResult(RunRequest Request)
{
    public required string Hash { get; init; }

    public required long Events { get; init; }

    public required long Deliveries { get; init; }

    /// <summary>Unit: nanoseconds.</summary>
    public required long VirtualTime { get; init; }

    /// <summary>The first property that did not hold; null when all did.</summary>
    public Violation? Violation { get; init; }

    /// <summary>With more faulty parties than the model allows: the first property seen broken that it does not promise then. The positive control must have one.</summary>
    public Violation? Expected { get; init; }

    /// <summary>Everything random that happened and can be taken away, in order: faults, attacks, broadcasts.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>The choices of messages that arrived, in order.</summary>
    public IReadOnlyList<ChoiceId> Arrivals { get; init; } = [];

    public IReadOnlyDictionary<string, long> Probes { get; init; } = new SortedDictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Why parties did less than they might: crashed for good, lost memory, …; counted.</summary>
    public IReadOnlyDictionary<string, long> Excuses { get; init; } = new SortedDictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Names of the parties, by index: lanes of the picture.</summary>
    public IReadOnlyList<string> Parties { get; init; } = [];

    /// <summary>The log; null unless asked for.</summary>
    public Trace? Trace { get; init; }
}
