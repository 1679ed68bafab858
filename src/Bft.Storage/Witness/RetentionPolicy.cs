namespace Bft.Storage;

/// <summary>S2: how long a witness keeps what is certified in a topic. A node's own choice: witnesses may differ.</summary>
public sealed record RetentionPolicy
{
    /// <summary>Keeps everything.</summary>
    public static RetentionPolicy KeepAll { get; } = new();

    /// <summary>Most body bytes of the topic's certified batches, over all its streams; the oldest go first. <value>Default: no limit.</value></summary>
    public long? Bytes { get; init; }

    /// <summary>How long a certified body is kept. <value>Default: for ever.</value></summary>
    public TimeSpan? Age { get; init; }

    /// <summary>How long statements and certificates are kept after their bodies went; at least <see cref="Age"/>. <value>Default: for ever.</value></summary>
    public TimeSpan? HistoryAge { get; init; }
}
