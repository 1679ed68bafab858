namespace Bft.Crypto;

/// <summary>How many Ed25519 signatures this process has made and verified, for those who measure. Nothing is decided by them.</summary>
public static class SignatureCounts
{
#pragma warning disable RS0030 // Threads share these numbers, and nobody waits for another or does anything else for them.
    private static long _made;
    private static long _verified;

    /// <summary>Since the process began. On any thread.</summary>
    public static long Made => Interlocked.Read(ref _made);

    /// <inheritdoc cref="Made"/>
    public static long Verified => Interlocked.Read(ref _verified);

    internal static void OnMade() => Interlocked.Increment(ref _made);

    internal static void OnVerified() => Interlocked.Increment(ref _verified);
#pragma warning restore RS0030
}
