namespace Bft.Sim;

/// <summary>All that is random about one choice: any number of draws that depend on the seed and on the choice's name alone.</summary>
/// <remarks>An integer generator of our own (splitmix64's finaliser over a counter), so that a seed means the same on every machine and version.</remarks>
public struct Lot
{
    private readonly ulong _key;
    private uint _draws;

    internal Lot(ulong seed, ChoiceId id)
    {
        Id = id;
        _key = unchecked(Mix(seed + ((ulong)id.Stream * 0xA24BAED4963EE407)) ^ Mix(((ulong)(uint)id.Entity << 32) | (uint)id.Index));
    }

    public ChoiceId Id { get; }

    /// <summary>64 random bits.</summary>
    public ulong Bits() => Mix(unchecked(_key + (++_draws * 0x9E3779B97F4A7C15)));

    /// <summary>From 0 to <paramref name="n"/> − 1.</summary>
    public int Below(int n) => (int)Math.BigMul(Bits(), (ulong)n, out _);

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public long Between(long low, long high) => low + (long)Math.BigMul(Bits(), (ulong)(high - low + 1), out _);

    /// <summary>True in so many of a million. Draws also where that is none, so that switching a weight off moves no later draw.</summary>
    public bool Chance(int ppm) => Below(1_000_000) < ppm;

    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }
}
