using System.Net;
using Bft.Protocol;
using Bft.Storage;

namespace Bft.Node;

/// <summary>What a witness process needs to know about itself; all else is in cluster.yaml.</summary>
public sealed record NodeOptions
{
    /// <summary>Path of cluster.yaml.</summary>
    public required string ClusterFile { get; init; }

    /// <summary>Path of the Ed25519 seed with which this witness acks. Which witness it is follows from the key.</summary>
    public required string KeyFile { get; init; }

    /// <summary>The witness's own directory; created if it is missing.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>PEM with the TLS certificate (ECDSA P-256). <value>Default: <c>tls.crt</c> beside the key file.</value></summary>
    public string? TlsCertificateFile { get; init; }

    /// <summary>PEM with the TLS private key, protected like the key file. <value>Default: <c>tls.key</c> beside the key file.</value></summary>
    public string? TlsKeyFile { get; init; }

    /// <summary>Where to listen. <value>Default: the port in cluster.yaml; on loopback when the address there is loopback, on all interfaces when it is a name, else on that address.</value></summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Limits of the protocol core.</summary>
    public NodeLimits Limits { get; init; } = NodeLimits.Default;

    /// <summary>Limits of the server's edge.</summary>
    public EdgeLimits Edge { get; init; } = EdgeLimits.Default;

    /// <summary>How fast old parts of the journal are read again, to find damage while peers can repair it; 0: never. Unit: bytes per second. <value>Default 16 MiB.</value></summary>
    public long ScrubBytesPerSecond { get; init; } = 16L * 1024 * 1024;

    /// <summary>From the beginning of one such round to that of the next, at least. <value>Default a day.</value></summary>
    public TimeSpan ScrubInterval { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The disk under the data directory; tests put one there that fails or waits. <value>Default: the real one.</value></summary>
    internal Func<string, IDisk> Disk { get; init; } = FileDisk.At;

    /// <summary>Where log lines go, one per event, never with a secret. <value>Default: standard output.</value></summary>
    public TextWriter Log { get; init; } = Console.Out;
}
