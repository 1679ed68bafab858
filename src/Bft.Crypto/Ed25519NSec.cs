using NSec.Cryptography;

namespace Bft.Crypto;

// The build with -p:UpstreamPackages=true: NSec.Cryptography. Ed25519Native.cs is its twin, which calls libsodium directly (docs/decisions/0001).

/// <summary>The verifier of this build.</summary>
internal static class Ed25519Verification
{
    static Ed25519Verification() => NSecLibrary.Find();

    /// <remarks>NSec wants the key as an object of its own: the one allocation a verification costs in this build only.</remarks>
    public static bool Verify(ReadOnlySpan<byte> key, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        NSec.Cryptography.PublicKey.TryImport(SignatureAlgorithm.Ed25519, key, KeyBlobFormat.RawPublicKey, out NSec.Cryptography.PublicKey? imported)
        && SignatureAlgorithm.Ed25519.Verify(imported!, statement, signature);
}

/// <summary>A secret key in NSec's guarded memory, which counts the calls in flight as the native twin does.</summary>
internal sealed class Ed25519Secret : IDisposable
{
    private readonly Key _key;

    static Ed25519Secret() => NSecLibrary.Find();

    private Ed25519Secret(Key key) => _key = key;

    public static Ed25519Secret FromSeed(ReadOnlySpan<byte> seed, out PublicKey publicKey)
    {
        Key key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        publicKey = new PublicKey(key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
        return new Ed25519Secret(key);
    }

    public void Sign(ReadOnlySpan<byte> statement, Span<byte> signature) => SignatureAlgorithm.Ed25519.Sign(_key, statement, signature);

    public void Dispose() => _key.Dispose();
}

/// <summary>NSec's package brings libsodium along; where it was built or restored without, the system's copy does.</summary>
internal static class NSecLibrary
{
    private static readonly bool IsFound = FindOnce();

    public static void Find() => _ = IsFound;

    private static bool FindOnce()
    {
        Libsodium.FindFor(typeof(Key).Assembly);
        return true;
    }
}
