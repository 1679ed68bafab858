namespace Bft.Crypto;

/// <summary>A public key as bytes: 32, as RFC 8032 encodes it, ordered as a big-endian number. It names a publisher, witness or client.</summary>
/// <remarks>
/// Any 32 bytes can be held; whether a scheme takes them as a key is for <see cref="ISignatureScheme.IsAcceptableKey"/> to say.
/// <c>default</c> is legal: 32 zero bytes, a key that every scheme refuses (in Ed25519 it is a point of order 4).
/// </remarks>
public readonly record struct PublicKey : IComparable<PublicKey>
{
    /// <summary>Length in bytes.</summary>
    public const int Length = Bytes32.Length;

    private readonly Bytes32 _bytes;

    /// <summary>Copies 32 bytes.</summary>
    /// <exception cref="ArgumentException">The span is not 32 bytes long.</exception>
    public PublicKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
        {
            throw new ArgumentException($"A public key has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        }

        _bytes = new Bytes32(bytes);
    }

    public static bool operator <(PublicKey left, PublicKey right) => left.CompareTo(right) < 0;

    public static bool operator >(PublicKey left, PublicKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(PublicKey left, PublicKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(PublicKey left, PublicKey right) => left.CompareTo(right) >= 0;

    /// <summary>Reads what <see cref="ToString"/> writes: 64 lower-case hexadecimal digits and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out PublicKey key)
    {
        Span<byte> bytes = stackalloc byte[Length];
        bool isHex = Bytes32.TryParseHex(text, bytes);
        key = isHex ? new PublicKey(bytes) : default;
        return isHex;
    }

    /// <summary>Writes the 32 bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The destination is shorter than 32 bytes; nothing is written.</exception>
    public void CopyTo(Span<byte> destination) => _bytes.CopyTo(destination);

    public int CompareTo(PublicKey other) => Bytes32.Compare(_bytes, other._bytes);

    /// <summary>The same in every process.</summary>
    public override int GetHashCode() => _bytes.GetHashCode();

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => _bytes.ToString();
}
