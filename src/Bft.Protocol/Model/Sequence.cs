namespace Bft.Protocol.Model;

/// <summary>Position of a batch in its stream, from 0, without gaps (P1).</summary>
public readonly record struct Sequence : IComparable<Sequence>
{
    /// <summary>Far above what a stream can reach, so that no sum of a sequence and a window overflows.</summary>
    public const ulong MaxValue = (1UL << 62) - 1;

    public Sequence(ulong value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        Value = value;
    }

    public static Sequence Zero => default;

    public ulong Value { get; }

    public bool IsFirst => Value == 0;

    public Sequence Following => new(Value + 1);

    /// <exception cref="OverflowException">This is the first sequence.</exception>
    public Sequence Preceding => new(Value - 1);

    public static bool operator <(Sequence left, Sequence right) => left.Value < right.Value;

    public static bool operator >(Sequence left, Sequence right) => left.Value > right.Value;

    public static bool operator <=(Sequence left, Sequence right) => left.Value <= right.Value;

    public static bool operator >=(Sequence left, Sequence right) => left.Value >= right.Value;

    /// <summary>A sequence from a peer's bytes.</summary>
    public static bool TryCreate(ulong value, out Sequence sequence)
    {
        bool legal = value <= MaxValue;
        sequence = legal ? new Sequence(value) : default;
        return legal;
    }

    public int CompareTo(Sequence other) => Value.CompareTo(other.Value);

    public override int GetHashCode() => unchecked((int)(Value ^ (Value >> 32)));

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
