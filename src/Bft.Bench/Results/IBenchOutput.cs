namespace Bft.Bench.Results;

/// <summary>Where a bench shows what it does and what came of it.</summary>
public interface IBenchOutput
{
    /// <summary>What is going on now, in a few words; replaces the last one.</summary>
    /// <param name="what">For people.</param>
    /// <param name="time">How long it takes, about; null when that is not known.</param>
    void Doing(string what, TimeSpan? time = null);

    /// <summary>What a reader of the figures must know; a sentence or two.</summary>
    void Noted(string sentence);

    /// <summary>A case is measured.</summary>
    void Measured(BenchCase measured);
}
