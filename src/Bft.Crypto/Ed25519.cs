namespace Bft.Crypto;

/// <summary>Ed25519 (RFC 8032) as libsodium verifies it: without the cofactor, and strictly.</summary>
/// <remarks>
/// Refused are a non-canonical S or R, keys and R of small order, and keys in non-canonical encoding. Single verification
/// decides: batch verification would accept signatures that this refuses.
/// </remarks>
public sealed class Ed25519 : ISignatureScheme
{
    private Ed25519()
    {
    }

    public static Ed25519 Instance { get; } = new();

    /// <summary>Start-up self-test: every process calls it once, before it believes a signature.</summary>
    /// <exception cref="CryptoLibraryException">The library is missing, or its verdicts are not those this project rests on.</exception>
    public static void EnsureStrict() => StrictnessCheck.Run(Instance, static seed => new Ed25519Signer(seed));

    /// <inheritdoc/>
    public bool Verify(in PublicKey key, ReadOnlySpan<byte> statement, in Signature signature)
    {
        Span<byte> keyBytes = stackalloc byte[PublicKey.Length];
        Span<byte> signatureBytes = stackalloc byte[Signature.Length];
        key.CopyTo(keyBytes);
        signature.CopyTo(signatureBytes);
        SignatureCounts.OnVerified();
        return Ed25519Verification.Verify(keyBytes, statement, signatureBytes);
    }

    /// <summary>
    /// Whether the key is a point of the prime-order subgroup, not the neutral one, in canonical encoding. <see cref="Verify"/> alone takes
    /// points with a component of small order besides, and on their signatures verifiers with and without cofactor disagree.
    /// </summary>
    public bool IsAcceptableKey(in PublicKey key)
    {
        Span<byte> bytes = stackalloc byte[PublicKey.Length];
        key.CopyTo(bytes);
        return Libsodium.IsValidPoint(bytes) != 0;
    }
}
