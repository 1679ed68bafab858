namespace Bft.Protocol.Model;

/// <summary>Number of a publisher's run: a counter ‖ 64 random bits, compared as one 128-bit number.</summary>
/// <param name="Counter">Above every one shown to the publisher, and at least its clock in milliseconds since 1970.</param>
/// <param name="Random">Tells two runs apart that drew the same counter.</param>
public readonly record struct Incarnation(ulong Counter, ulong Random) : IComparable<Incarnation>
{
    /// <summary>Length in statements, in bytes.</summary>
    public const int Length = 16;

    public static bool operator <(Incarnation left, Incarnation right) => left.CompareTo(right) < 0;

    public static bool operator >(Incarnation left, Incarnation right) => left.CompareTo(right) > 0;

    public static bool operator <=(Incarnation left, Incarnation right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Incarnation left, Incarnation right) => left.CompareTo(right) >= 0;

    public int CompareTo(Incarnation other)
    {
        int order = Counter.CompareTo(other.Counter);
        return order != 0 ? order : Random.CompareTo(other.Random);
    }

    public override int GetHashCode() => unchecked((int)(Counter ^ (Counter >> 32) ^ Random ^ (Random >> 32)));

    public override string ToString() => $"{Counter:x16}{Random:x16}";
}
