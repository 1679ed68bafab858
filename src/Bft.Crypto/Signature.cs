namespace Bft.Crypto;

/// <summary>A signature as bytes: 64, R then S as RFC 8032 encodes them.</summary>
/// <remarks>
/// Equality compares bytes and says nothing about what was signed: one statement may have several valid signatures,
/// so nothing is ever identified or deduplicated by them.
/// <c>default</c> is legal: 64 zero bytes, which no scheme verifies (in Ed25519 its R is a point of order 4).
/// </remarks>
public readonly record struct Signature : IComparable<Signature>
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 2 * Bytes32.Length;

    private readonly Bytes32 _r;
    private readonly Bytes32 _s;

    /// <summary>Copies 64 bytes.</summary>
    /// <exception cref="ArgumentException">The span is not 64 bytes long.</exception>
    public Signature(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
        {
            throw new ArgumentException($"A signature has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        }

        _r = new Bytes32(bytes);
        _s = new Bytes32(bytes[Bytes32.Length..]);
    }

    public static bool operator <(Signature left, Signature right) => left.CompareTo(right) < 0;

    public static bool operator >(Signature left, Signature right) => left.CompareTo(right) > 0;

    public static bool operator <=(Signature left, Signature right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Signature left, Signature right) => left.CompareTo(right) >= 0;

    /// <summary>Reads what <see cref="ToString"/> writes: 128 lower-case hexadecimal digits and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Signature signature)
    {
        Span<byte> bytes = stackalloc byte[Length];
        bool isHex = Bytes32.TryParseHex(text, bytes);
        signature = isHex ? new Signature(bytes) : default;
        return isHex;
    }

    /// <summary>Writes the 64 bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The destination is shorter than 64 bytes; nothing is written.</exception>
    public void CopyTo(Span<byte> destination)
    {
        _s.CopyTo(destination[Bytes32.Length..]);
        _r.CopyTo(destination);
    }

    public int CompareTo(Signature other)
    {
        int order = Bytes32.Compare(_r, other._r);
        return order != 0 ? order : Bytes32.Compare(_s, other._s);
    }

    /// <summary>The same in every process.</summary>
    public override int GetHashCode() => _r.GetHashCode();

    /// <summary>128 lower-case hexadecimal digits.</summary>
    public override string ToString() => _r.ToString() + _s.ToString();
}
