using Bft.Protocol.Membership;

namespace Bft.Client;

/// <summary>Where a subscription begins when its cursor says nothing yet.</summary>
public enum StartFrom
{
    /// <summary>With the oldest batches that are kept.</summary>
    Earliest,

    /// <summary>With what is certified from now on.</summary>
    Latest,
}

/// <summary>How a subscription reads.</summary>
public sealed record SubscriptionOptions
{
    public static SubscriptionOptions Default { get; } = new();

    /// <summary>Where to begin; a durable cursor that was committed before goes first. <value>Default: earliest.</value></summary>
    public StartFrom From { get; init; } = StartFrom.Earliest;

    /// <summary>
    /// R3: the name of a durable cursor (needs a data directory); one subscription at a time uses it. <value>Default: null; then <see cref="Subscription.CommitAsync(Delivery, CancellationToken)"/> does nothing
    /// and nothing is marked as a redelivery.</value>
    /// </summary>
    public string? CursorName { get; init; }

    /// <summary>
    /// R6: bodies that were received and not yet taken by the application; beyond it nothing is read, which slows the serving witness for this subscription.
    /// (As much again, while streams wait for one another, R2.) Unit: bytes. <value>Default 16 MiB, at least 1.</value>
    /// </summary>
    public long QueueBytesMax { get; init; } = 16L * 1024 * 1024;

    /// <summary>R4: a serving witness that sent nothing for this long is replaced; heartbeats come every second. <value>Default 2 s, from 1.2 s to 1 minute.</value></summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Which witness is asked to serve first, for instance the nearest. <value>Default: null, any: subscriptions spread over the witnesses.</value></summary>
    public WitnessIndex? FirstServing { get; init; }

    /// <summary>What is wrong with these options, as a sentence that names the option; null when they are legal.</summary>
    public string? WhyIllegal() =>
        CursorName is { Length: 0 or > 255 } ? "CursorName has 1 to 255 characters."
        : QueueBytesMax < 1 ? "QueueBytesMax is at least 1."
        : SilenceMax < TimeSpan.FromMilliseconds(1200) || SilenceMax > TimeSpan.FromMinutes(1) ? "SilenceMax is from 1.2 s to 1 minute."
        : null;
}
