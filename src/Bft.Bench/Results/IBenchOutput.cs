namespace Bft.Bench.Results;

/// <summary>Where a bench shows what it does and what came of it.</summary>
public interface IBenchOutput
{
    /// <summary>What is going on now, in a few words; replaces the last one.</summary>
    void Doing(string what);

    /// <summary>A case is measured.</summary>
    void Measured(BenchCase measured);
}
