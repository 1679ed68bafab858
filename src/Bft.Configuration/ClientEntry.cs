using Bft.Crypto;

namespace Bft.Configuration;

/// <summary>A publisher or receiver that the cluster knows.</summary>
/// <param name="Name">What topic policies call it.</param>
/// <param name="Key">Its Ed25519 key.</param>
public sealed record ClientEntry(string Name, PublicKey Key)
{
    public const int WeightMax = 1000;

    /// <summary>Its share of what publishers share, beside those of others that want more than there is. <value>Default 1, to 1,000.</value></summary>
    public int Weight { get; init; } = 1;

    /// <summary>Most messages that each witness takes of it; what is above waits. Unit: messages per second. <value>Default: null, no limit; at least 1.</value></summary>
    public long? MessagesPerSecond { get; init; }

    /// <summary>The same in bytes, with 4 KiB for each batch. Unit: bytes per second. <value>Default: null, no limit; at least 1.</value></summary>
    public long? BytesPerSecond { get; init; }
}
