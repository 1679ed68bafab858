using System.Runtime.InteropServices;

namespace Bft.Crypto;

// The default build: libsodium called directly. Ed25519NSec.cs is its twin over NSec (docs/decisions/0001).

/// <summary>The verifier of this build.</summary>
internal static class Ed25519Verification
{
    public static bool Verify(ReadOnlySpan<byte> key, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        Libsodium.VerifyDetached(signature, statement, (ulong)statement.Length, key) == 0;
}

/// <summary>
/// A secret key in libsodium's guarded memory: locked where the system lets it, overwritten when freed. A handle counts the calls
/// in flight, so that none sees it freed.
/// </summary>
internal sealed class Ed25519Secret : SafeHandle
{
    private const int SecretKeyLength = 64;

    public Ed25519Secret()
        : base(0, ownsHandle: true) => SetHandle(Libsodium.Allocate(SecretKeyLength));

    public override bool IsInvalid => handle == 0;

    public static Ed25519Secret FromSeed(ReadOnlySpan<byte> seed, out PublicKey publicKey)
    {
        Ed25519Secret secret = new();
        if (secret.IsInvalid)
        {
            throw new CryptoLibraryException("libsodium has no guarded memory left for a secret key: raise the process's limit on mappings (vm.max_map_count).");
        }

        Span<byte> publicBytes = stackalloc byte[PublicKey.Length];
        Libsodium.SeedKeyPair(publicBytes, secret, seed);
        publicKey = new PublicKey(publicBytes);
        return secret;
    }

    public void Sign(ReadOnlySpan<byte> statement, Span<byte> signature) =>
        Libsodium.SignDetached(signature, 0, statement, (ulong)statement.Length, this);

    protected override bool ReleaseHandle()
    {
        Libsodium.Free(handle);
        return true;
    }
}

internal static partial class Libsodium
{
    [LibraryImport(Library, EntryPoint = "crypto_sign_ed25519_verify_detached")]
    [DefaultDllImportSearchPaths(SearchPaths)]
    public static partial int VerifyDetached(ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message, ulong messageLength, ReadOnlySpan<byte> publicKey);

    /// <summary>Cannot fail: the library returns 0 always.</summary>
    [LibraryImport(Library, EntryPoint = "crypto_sign_ed25519_detached")]
    [DefaultDllImportSearchPaths(SearchPaths)]
    public static partial int SignDetached(Span<byte> signature, nint signatureLength, ReadOnlySpan<byte> message, ulong messageLength, Ed25519Secret secretKey);

    /// <summary>Cannot fail: the library returns 0 always.</summary>
    [LibraryImport(Library, EntryPoint = "crypto_sign_ed25519_seed_keypair")]
    [DefaultDllImportSearchPaths(SearchPaths)]
    public static partial int SeedKeyPair(Span<byte> publicKey, Ed25519Secret secretKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Library, EntryPoint = "sodium_malloc")]
    [DefaultDllImportSearchPaths(SearchPaths)]
    public static partial nint Allocate(nuint length);

    [LibraryImport(Library, EntryPoint = "sodium_free")]
    [DefaultDllImportSearchPaths(SearchPaths)]
    public static partial void Free(nint pointer);
}
