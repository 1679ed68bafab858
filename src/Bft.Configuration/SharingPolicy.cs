namespace Bft.Configuration;

/// <summary>What the publishers' shares are measured in.</summary>
public enum ShareBy
{
    /// <summary>Bytes, and 4 KiB for each batch: what a batch costs a witness.</summary>
    Bytes,

    /// <summary>Messages, however large.</summary>
    Messages,
}

/// <summary>How a witness shares itself out between publishers. A witness's own choice: no part of the cluster id.</summary>
public sealed record SharingPolicy
{
    /// <summary><value>Default: bytes.</value></summary>
    public ShareBy By { get; init; }

    /// <summary>Most messages taken of all publishers together; what is above waits, in fair order. Unit: messages per second. <value>Default: null, no limit; at least 1.</value></summary>
    public long? MessagesPerSecond { get; init; }

    /// <summary>The same in bytes, with 4 KiB for each batch. Unit: bytes per second. <value>Default: null, no limit; at least 1.</value></summary>
    public long? BytesPerSecond { get; init; }
}
