using System.Buffers;
using System.Buffers.Binary;

namespace Bft.Crypto;

/// <summary>What digests, keys and halves of signatures have in common: 32 bytes by value, ordered as a big-endian number.</summary>
internal readonly record struct Bytes32
{
    public const int Length = 32;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    public Bytes32(ReadOnlySpan<byte> bytes)
    {
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The first eight bytes as a big-endian number: it is ordered as the whole is.</summary>
    public ulong Prefix => _a;

    public void CopyTo(Span<byte> destination)
    {
        // The last slice first: a destination that is too short throws before it is half written.
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
    }

    public static int Compare(in Bytes32 left, in Bytes32 right)
    {
        int order = left._a.CompareTo(right._a);
        order = order != 0 ? order : left._b.CompareTo(right._b);
        order = order != 0 ? order : left._c.CompareTo(right._c);
        return order != 0 ? order : left._d.CompareTo(right._d);
    }

    /// <summary>The same in every process. It has no secret, so whoever chooses values can make them collide: bound the tables they key.</summary>
    public override int GetHashCode() => unchecked((int)_d ^ (int)(_d >> 32));

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>Exactly two lower-case hexadecimal digits a byte: one value has one text.</summary>
    public static bool TryParseHex(ReadOnlySpan<char> text, Span<byte> destination) =>
        text.Length == 2 * destination.Length
        && !text.ContainsAnyInRange('A', 'F')
        && Convert.FromHexString(text, destination, out _, out _) == OperationStatus.Done;
}
