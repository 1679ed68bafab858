namespace Bft.Bench.Planning;

/// <summary>What lies between any two parties.</summary>
/// <param name="Name">For people.</param>
/// <param name="BytesPerSecond">Of each party's own line, each way: what it sends to several crosses it one after the other.</param>
/// <param name="DelaySeconds">One way.</param>
public sealed record Link(string Name, double BytesPerSecond, double DelaySeconds)
{
    private const double Gigabit = 1e9 / 8;

    /// <summary>From one machine to between continents. Typical figures: name your own where you know them.</summary>
    public static IReadOnlyList<Link> Presets { get; } =
    [
        new("loopback", 100 * Gigabit, 0),
        new("lan", 10 * Gigabit, 0.1e-3),
        new("metro", 10 * Gigabit, 1e-3),
        new("continent", Gigabit, 15e-3),
        new("intercontinental", Gigabit, 75e-3),
    ];

    /// <summary>M/B: until so many bytes have left.</summary>
    public double TransferSeconds(double bytes) => bytes / BytesPerSecond;
}
