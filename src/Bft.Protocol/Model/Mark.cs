namespace Bft.Protocol.Model;

/// <summary>Number of a group commit of a witness's journal; only rises, across runs too.</summary>
public readonly record struct Mark(ulong Value) : IComparable<Mark>
{
    public static bool operator <(Mark left, Mark right) => left.Value < right.Value;

    public static bool operator >(Mark left, Mark right) => left.Value > right.Value;

    public static bool operator <=(Mark left, Mark right) => left.Value <= right.Value;

    public static bool operator >=(Mark left, Mark right) => left.Value >= right.Value;

    public int CompareTo(Mark other) => Value.CompareTo(other.Value);

    public override int GetHashCode() => unchecked((int)(Value ^ (Value >> 32)));

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
