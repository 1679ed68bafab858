namespace Bft.Crypto;

/// <summary>Signs with an Ed25519 key pair made from a seed, as RFC 8032, section 5.1.5, says.</summary>
/// <remarks>
/// Safe on many threads, also while another disposes it: the secret lives until the last call that uses it returns, is then
/// overwritten, and later calls throw. (A key half overwritten would sign two challenges with one nonce, which gives it away.)
/// </remarks>
public sealed class Ed25519Signer : ISigner, IDisposable
{
    /// <summary>Length of a seed, in bytes.</summary>
    public const int SeedLength = 32;

    private readonly Ed25519Secret _secret;

    /// <summary>Makes the key pair. The caller keeps the seed, and overwrites it when done.</summary>
    /// <exception cref="ArgumentException">The seed is not 32 bytes long.</exception>
    /// <exception cref="CryptoLibraryException">The native library is missing.</exception>
    public Ed25519Signer(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != SeedLength)
        {
            throw new ArgumentException($"A seed has {SeedLength} bytes, not {seed.Length}.", nameof(seed));
        }

        _secret = Ed25519Secret.FromSeed(seed, out PublicKey publicKey);
        PublicKey = publicKey;
    }

    public PublicKey PublicKey { get; }

    /// <summary>Signs; the same statement always gets the same signature.</summary>
    /// <exception cref="ObjectDisposedException">The signer was disposed.</exception>
    public Signature Sign(ReadOnlySpan<byte> statement)
    {
        Span<byte> signature = stackalloc byte[Signature.Length];
        _secret.Sign(statement, signature);
        SignatureCounts.OnMade();
        return new Signature(signature);
    }

    public void Dispose() => _secret.Dispose();
}
