namespace Bft.Protocol.Publishing;

/// <summary>How patient a publisher is. Decides nothing but the traffic: W and B are the cluster's.</summary>
public sealed record PublisherOptions
{
    public static PublisherOptions Default { get; } = new();

    /// <summary>P3: a batch without a witness's ack is sent to it again after this long. Unit: ticks of the host. <value>Default 100 (of 20 ms), at least 1.</value></summary>
    public int ResendFirstTicks { get; init; } = 100;

    /// <summary>P3: the longest wait between two resends to one witness. Unit: ticks of the host. <value>Default 1,500 (of 20 ms); at least <see cref="ResendFirstTicks"/>.</value></summary>
    public int ResendMaxTicks { get; init; } = 1500;

    /// <summary>P5: a certificate that a witness's tip does not show after this long is handed to it. Unit: ticks of the host. <value>Default 10 (of 20 ms), at least 1.</value></summary>
    public int HandOverTicks { get; init; } = 10;

    /// <summary>P6: one "retired" or "full" and no batch covered for this long call for a new incarnation. Unit: ticks of the host. <value>Default 1,500 (of 20 ms), at least 1.</value></summary>
    public int RetiredTicks { get; init; } = 1500;

    /// <summary>What is wrong with these options, as a sentence that names the option; null when they are legal.</summary>
    public string? WhyIllegal() =>
        ResendFirstTicks < 1 ? "resendFirstTicks is at least 1."
        : ResendMaxTicks < ResendFirstTicks ? "resendMaxTicks is at least resendFirstTicks."
        : HandOverTicks < 1 ? "handOverTicks is at least 1."
        : RetiredTicks < 1 ? "retiredTicks is at least 1."
        : null;
}
