using System.Numerics;

namespace Bft.Protocol.Membership;

/// <summary>A set of witnesses: one bit each.</summary>
public readonly record struct WitnessSet(ulong Bits)
{
    public static WitnessSet Empty => default;

    public int Count => BitOperations.PopCount(Bits);

    public bool Contains(WitnessIndex witness) => (Bits & (1UL << witness.Value)) != 0;

    public WitnessSet With(WitnessIndex witness) => new(Bits | (1UL << witness.Value));

    public WitnessSet Without(WitnessIndex witness) => new(Bits & ~(1UL << witness.Value));

    public override int GetHashCode() => unchecked((int)(Bits ^ (Bits >> 32)));
}
