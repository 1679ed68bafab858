namespace Bft.Sim;

/// <summary>What many runs gave, with the time that they took.</summary>
internal sealed record Summary(string Profile, Tally Tally, TimeSpan Real, int Cores)
{
    /// <summary>Of the only run; null when there were more.</summary>
    public string? Hash { get; init; }

    /// <summary>A signal ended it early.</summary>
    public bool IsInterrupted { get; init; }

    public int ExitCode { get; init; }

    public double RealSeconds => Real.TotalSeconds;

    /// <summary>Per second of real time, all cores together.</summary>
    public double PerSecond(double amount) => amount / Math.Max(RealSeconds, 1e-9);
}
