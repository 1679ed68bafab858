using System.Buffers;

namespace Bft.Storage;

/// <summary>Private keys on disk: mode 0600, owned by this user, no symbolic link, in a directory of mode 0700; all checked before a byte is read.</summary>
/// <remarks>An Ed25519 seed is one line, <c>bft-ed25519-seed-v1</c>, a space and 64 hexadecimal digits. TLS keys are PEM files, taken as they are.</remarks>
public static class KeyFile
{
    public const int SeedBytes = 32;
    private const int ProtectedBytesMax = 64 << 10;

    private static ReadOnlySpan<byte> Tag => "bft-ed25519-seed-v1 "u8;

    /// <summary>Writes a seed to a new file, durably; its directory is created if it is missing.</summary>
    /// <param name="path">Must not exist: a key is never overwritten.</param>
    /// <param name="seed"><see cref="SeedBytes"/> random bytes.</param>
    /// <exception cref="KeyFileException">The file exists, or its directory is open to others.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static void Create(string path, ReadOnlySpan<byte> seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seed.Length, SeedBytes, nameof(seed));
        using SecretBytes line = new(Tag.Length + (2 * SeedBytes) + 1);
        Tag.CopyTo(line.Span);
        Convert.TryToHexStringLower(seed, line.Span[Tag.Length..], out _);
        line.Span[^1] = (byte)'\n';
        ProtectedFile.Write(path, line.Span);
    }

    /// <summary>Reads the seed that <see cref="Create"/> wrote.</summary>
    /// <returns>The seed; dispose it once the key is made.</returns>
    /// <exception cref="KeyFileException">The file is missing, open to others, somebody else's, a link, or malformed.</exception>
    public static SecretBytes Load(string path)
    {
        using SecretBytes line = ProtectedFile.Read(path, ProtectedBytesMax);
        ReadOnlySpan<byte> text = line.Span;
        text = text.EndsWith("\n"u8) ? text[..^1] : text;
        SecretBytes seed = new(SeedBytes);
        if (text.Length == Tag.Length + (2 * SeedBytes) && text.StartsWith(Tag)
            && Convert.FromHexString(text[Tag.Length..], seed.Span, out _, out _) == OperationStatus.Done)
        {
            return seed;
        }

        seed.Dispose();
        throw new KeyFileException(
            path, "holds no Ed25519 seed ('bft-ed25519-seed-v1' and 64 hexadecimal digits). Restore it from a backup; if it was only being created, delete it.");
    }

    /// <summary>Reads another private key (PEM) with the same checks.</summary>
    /// <param name="path">At most 64 KiB.</param>
    /// <exception cref="KeyFileException">As for <see cref="Load"/>.</exception>
    public static SecretBytes ReadProtected(string path) => ProtectedFile.Read(path, ProtectedBytesMax);

    /// <summary>Writes another private key (PEM) to a new file, durably, with the same protection.</summary>
    /// <exception cref="KeyFileException">As for <see cref="Create"/>.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static void WriteProtected(string path, ReadOnlySpan<byte> content) => ProtectedFile.Write(path, content);
}
