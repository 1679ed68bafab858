namespace Bft.Bench.Planning;

/// <summary>Something that takes one batch after the other.</summary>
/// <param name="Name">For people.</param>
/// <param name="SecondsPerBatch">Until it can take the next one.</param>
/// <param name="Messages">In the batch.</param>
/// <param name="IsWindow">Batches do not queue here, they wait for room: it bounds the rate and nothing else.</param>
public readonly record struct Stage(string Name, double SecondsPerBatch, double Messages, bool IsWindow = false)
{
    /// <summary>Messages per second at most.</summary>
    public double Capacity => SecondsPerBatch > 0 ? Messages / SecondsPerBatch : double.PositiveInfinity;
}

/// <summary>A part of a message's way: M/B + L + P.</summary>
/// <param name="Name">For people.</param>
/// <param name="Work">P. Unit: seconds.</param>
/// <param name="Transfer">M/B. Unit: seconds.</param>
/// <param name="Delay">L. Unit: seconds.</param>
public readonly record struct PathStep(string Name, double Work, double Transfer, double Delay)
{
    public double Seconds => Work + Transfer + Delay;
}
