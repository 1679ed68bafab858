using System.Text;
using Bft.Crypto;
using Bft.Protocol.Membership;

namespace Bft.Configuration;

/// <summary>A witness as cluster.yaml names it.</summary>
/// <param name="Index">Its place in the list; part of what it signs.</param>
/// <param name="Address">Where it listens: https://host:port.</param>
/// <param name="Key">The Ed25519 key of its acks.</param>
/// <param name="Pin">SHA-256 of the public key info of its TLS certificate. Names in certificates count for nothing.</param>
public sealed record WitnessEntry(WitnessIndex Index, Uri Address, PublicKey Key, Digest Pin)
{
    /// <summary>Longest path of a Unix socket: Linux keeps 108 bytes for it, one of them for its end. Unit: bytes.</summary>
    public const int SocketBytesMax = 107;

    /// <summary>Path of its Unix socket, for the parties on its host; those on others, and those that may not open it, use <see cref="Address"/>. <value>Default: null, it has none.</value></summary>
    public string? Socket { get; init; }

    /// <summary>A second pin, while the TLS key is being replaced: either key is the witness's. <value>Default: null.</value></summary>
    public Digest? NextPin { get; init; }

    /// <summary>Whether a TLS key with this pin is the witness's.</summary>
    public bool Accepts(Digest pin) => pin == Pin || pin == NextPin;

    /// <summary>What is wrong with the path of a Unix socket, as a sentence; null when it can be one.</summary>
    public static string? WhyNoSocket(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Encoding.UTF8.GetByteCount(path) is > SocketBytesMax and int bytes ? $"the path of a Unix socket has at most {SocketBytesMax} bytes, and this one {bytes}"
            : Protocol.Model.Topic.WhyIllegal(path) is not null ? "a path has no control characters"
            : path[0] != '/' || path[^1] == '/' || Path.GetFullPath(path) != path ? $"'{path}' is no path from the root on; write one without '.', '..' and '//', as in /run/bft/w0.sock"
            : null;
    }
}
