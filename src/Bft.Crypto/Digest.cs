namespace Bft.Crypto;

/// <summary>A SHA-256 digest (FIPS 180-4): 32 bytes, ordered as a big-endian number.</summary>
/// <remarks><c>default</c> is legal: 32 zero bytes, which is the digest of nothing anyone knows.</remarks>
public readonly record struct Digest : IComparable<Digest>
{
    /// <summary>Length in bytes.</summary>
    public const int Length = Bytes32.Length;

    private readonly Bytes32 _bytes;

    /// <summary>Copies 32 bytes.</summary>
    /// <exception cref="ArgumentException">The span is not 32 bytes long.</exception>
    public Digest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
        {
            throw new ArgumentException($"A digest has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        }

        _bytes = new Bytes32(bytes);
    }

    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;

    /// <summary>Reads what <see cref="ToString"/> writes: 64 lower-case hexadecimal digits and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Length];
        bool isHex = Bytes32.TryParseHex(text, bytes);
        digest = isHex ? new Digest(bytes) : default;
        return isHex;
    }

    /// <summary>The first eight bytes as a big-endian number: it is ordered as digests are.</summary>
    public ulong Prefix => _bytes.Prefix;

    /// <summary>Writes the 32 bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The destination is shorter than 32 bytes; nothing is written.</exception>
    public void CopyTo(Span<byte> destination) => _bytes.CopyTo(destination);

    public int CompareTo(Digest other) => Bytes32.Compare(_bytes, other._bytes);

    /// <summary>The same in every process.</summary>
    public override int GetHashCode() => _bytes.GetHashCode();

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => _bytes.ToString();
}
