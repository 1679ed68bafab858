namespace Bft.Configuration;

/// <summary>How many may be connected to a witness, and how much may lie unread. A witness's own choice: no part of the cluster id, and read when it starts.</summary>
public sealed record EdgePolicy
{
    public const int ConnectionsByDefault = 512;
    public const int ConnectionsMin = 16;
    public const int ConnectionsMost = 65_536;
    public const long UnreadBytesMin = 32L * 1024 * 1024;

    /// <summary>Most connections; what else is counted in connections and calls follows it. <value>Default: null, 512; 16 to 65,536.</value></summary>
    public int? ConnectionsMax { get; init; }

    /// <summary>Most connections from one address (for IPv6: one /64). <value>Default: null, three quarters of <see cref="ConnectionsMax"/>; 1 to that.</value></summary>
    public int? ConnectionsPerAddressMax { get; init; }

    /// <summary>Most connections on which no key is proven yet. <value>Default: null, a quarter of <see cref="ConnectionsMax"/>; 1 to that.</value></summary>
    public int? StrangersMax { get; init; }

    /// <summary>Most connections, and most calls, of one key. <value>Default: null, 32; 2 to 1,024.</value></summary>
    public int? PerKeyMax { get; init; }

    /// <summary>Request bytes, over all connections, that arrived and that nobody has taken yet. Unit: bytes. <value>Default: null, 192 MiB; at least 32 MiB.</value></summary>
    public long? UnreadBytesMax { get; init; }
}
