namespace Bft.Sim;

/// <summary>Which call a connection stands for.</summary>
internal enum ChannelKind
{
    Publish,

    /// <summary>A receiver's subscription with bodies.</summary>
    Bodies,

    /// <summary>A receiver's subscription to tips (R4).</summary>
    Tips,

    /// <summary>A witness's or receiver's fetch.</summary>
    Fetch,

    /// <summary>A witness tells a peer (W7, W8).</summary>
    Exchange,
}
