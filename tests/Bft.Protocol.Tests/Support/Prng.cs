namespace Bft.Protocol.Tests.Support;

/// <summary>SplitMix64 (Steele, Lea, Flood 2014): one seed, one sequence, on every machine.</summary>
public sealed class Prng(ulong seed)
{
    private ulong _state = seed;

    /// <summary>From 0 to <paramref name="count"/> − 1.</summary>
    public int Below(int count)
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            ulong mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return (int)((mixed ^ (mixed >> 31)) % (ulong)count);
        }
    }

    public bool Chance(int percent) => Below(100) < percent;

    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
