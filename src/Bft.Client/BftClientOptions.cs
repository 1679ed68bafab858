using Bft.Configuration;
using Bft.Crypto;
using Bft.Storage;

namespace Bft.Client;

/// <summary>Who a client is, and which cluster it talks to.</summary>
public sealed record BftClientOptions
{
    /// <summary>The cluster: witnesses, their keys and pins, limits, topics.</summary>
    public required ClusterFile Cluster { get; init; }

    /// <summary>Holds the client's key. The client does not dispose it. <value>Default: null; then <see cref="KeyFile"/> is read.</value></summary>
    public ISigner? Identity { get; init; }

    /// <summary>Path of an Ed25519 key file (mode 0600). <value>Default: null; then <see cref="Identity"/> is used. Exactly one of the two is set.</value></summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// Where journals and cursors are kept. <value>Default: the folder of <see cref="KeyFile"/>; without one, nothing is kept: each publisher opens a new incarnation, and cursors
    /// live as long as their subscription.</value>
    /// </summary>
    public string? DataDirectory { get; init; }

    /// <summary>How long one attempt to connect and to open a session may take. <value>Default 5 s, from 100 ms to 1 minute.</value></summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What this client's publishers may hold, together with those of other clients that name the same. <value>Default: <see cref="PublishMemory.Shared"/>, 128 MiB for the process.</value></summary>
    public PublishMemory PublishMemory { get; init; } = PublishMemory.Shared;

    /// <summary>Told what happens beside the calls: see <see cref="ClientNotice"/>. Called on any thread; must not block or throw. <value>Default: nobody is told.</value></summary>
    public Action<ClientNotice>? OnNotice { get; init; }

    internal string? DataFolder => DataDirectory ?? (KeyFile is null ? null : Path.GetDirectoryName(Path.GetFullPath(KeyFile)));

    /// <summary>What is wrong with these options, as a sentence that names the option; null when they are legal.</summary>
    public string? WhyIllegal() =>
        Identity is null == KeyFile is null ? "Set either Identity or KeyFile."
        : ConnectTimeout < TimeSpan.FromMilliseconds(100) || ConnectTimeout > TimeSpan.FromMinutes(1) ? "ConnectTimeout is from 100 ms to 1 minute."
        : null;

    internal Ed25519Signer? LoadKey()
    {
        if (KeyFile is null)
        {
            return null;
        }

        using SecretBytes seed = Bft.Storage.KeyFile.Load(KeyFile);
        return new Ed25519Signer(seed.Span);
    }
}
