namespace Bft.Sim;

/// <summary>A finding among many runs.</summary>
/// <param name="Request">The run.</param>
/// <param name="Violation">What did not hold.</param>
/// <param name="Hash">Of the run.</param>
/// <param name="IsExpected">Beyond the model, or a positive control: it is no failure.</param>
internal sealed record Finding(RunRequest Request, Violation Violation, string Hash, bool IsExpected)
{
    /// <summary>Where its artefact lies; null before it is written.</summary>
    public string? Artefact { get; set; }

    /// <summary>Deliveries, faults and application events of the shrunk run; null when nobody shrank it.</summary>
    public long? ShrunkEvents { get; set; }
}

/// <summary>What many runs gave together. Its memory does not grow with their number.</summary>
internal sealed class Tally
{
    private readonly SortedDictionary<string, long> _probes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _excuses = new(StringComparer.Ordinal);
    private readonly List<Finding> _findings = [];

    public long Runs { get; private set; }

    public long Events { get; private set; }

    public long Deliveries { get; private set; }

    public double VirtualSeconds { get; private set; }

    /// <summary>Runs that were performed twice to compare them.</summary>
    public long Repeated { get; private set; }

    /// <summary>In the order of the runs.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    public IEnumerable<Finding> Failures => _findings.Where(finding => !finding.IsExpected);

    public int FailureCount { get; private set; }

    public IReadOnlyDictionary<string, long> Probes => _probes;

    public IReadOnlyDictionary<string, long> Excuses => _excuses;

    public IEnumerable<string> ProbesNeverFired => ProbeNames.All.Where(name => !_probes.ContainsKey(name));

    /// <summary>Counts a run.</summary>
    /// <param name="result">What it gave.</param>
    /// <param name="finding">What was found; null when all held.</param>
    /// <param name="isRepeated">It was performed twice.</param>
    public void Add(RunResult result, Finding? finding, bool isRepeated)
    {
        Runs++;
        Events += result.Events;
        Deliveries += result.Deliveries;
        VirtualSeconds += result.VirtualTime / 1e9;
        Repeated += isRepeated ? 1 : 0;
        Merge(_probes, result.Probes);
        Merge(_excuses, result.Excuses);
        if (finding is { IsExpected: false })
        {
            FailureCount++;
            _findings.Add(finding);
        }
        else if (finding is not null && _findings.Count - FailureCount < Campaign.ExpectedKept)
        {
            _findings.Add(finding);
        }
    }

    /// <summary>Counts what another tally counted.</summary>
    public void Add(Tally other)
    {
        Runs += other.Runs;
        Events += other.Events;
        Deliveries += other.Deliveries;
        VirtualSeconds += other.VirtualSeconds;
        Repeated += other.Repeated;
        FailureCount += other.FailureCount;
        Merge(_probes, other.Probes);
        Merge(_excuses, other.Excuses);
        _findings.AddRange(other.Findings);
    }

    private static void Merge(SortedDictionary<string, long> into, IReadOnlyDictionary<string, long> from)
    {
        foreach ((string name, long count) in from)
        {
            into[name] = into.GetValueOrDefault(name) + count;
        }
    }
}
