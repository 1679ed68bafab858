namespace Bft.Sim;

/// <summary>How long shrinking may take.</summary>
internal sealed record ShrinkLimits
{
    /// <summary>Real time. Default: 20 s.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Runs. Default: 20,000.</summary>
    public int Runs { get; init; } = 20_000;

    public CancellationToken Stop { get; init; } = CancellationToken.None;
}

/// <summary>How far shrinking is.</summary>
/// <param name="Phase">What is being taken away.</param>
/// <param name="Runs">Runs so far.</param>
/// <param name="Size">Deliveries and faults that are left.</param>
internal readonly record struct ShrinkProgress(string Phase, int Runs, long Size);
