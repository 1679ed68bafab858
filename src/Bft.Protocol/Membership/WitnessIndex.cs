namespace Bft.Protocol.Membership;

/// <summary>A witness's place in the genesis order, from 0, dense.</summary>
public readonly record struct WitnessIndex : IComparable<WitnessIndex>
{
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 0 … 63.</exception>
    public WitnessIndex(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(value, CommitteeSize.Max);
        Value = value;
    }

    public int Value { get; }

    public static bool operator <(WitnessIndex left, WitnessIndex right) => left.Value < right.Value;

    public static bool operator >(WitnessIndex left, WitnessIndex right) => left.Value > right.Value;

    public static bool operator <=(WitnessIndex left, WitnessIndex right) => left.Value <= right.Value;

    public static bool operator >=(WitnessIndex left, WitnessIndex right) => left.Value >= right.Value;

    public int CompareTo(WitnessIndex other) => Value.CompareTo(other.Value);

    public override int GetHashCode() => Value;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
