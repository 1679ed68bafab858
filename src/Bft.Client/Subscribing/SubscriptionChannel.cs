namespace Bft.Client;

/// <summary>What a receiver subscribes to at a witness.</summary>
internal enum SubscriptionChannel
{
    /// <summary>All that is certified, with bodies: at one witness at a time, the one that serves (R7).</summary>
    Bodies,

    /// <summary>Tips only: at the witnesses that are watched (R4), and for R5's f + 1.</summary>
    Tips,
}
