namespace Bft.Protocol.Receiving;

/// <summary>How much a receiver buffers, and how patient it is.</summary>
public sealed record ReceiverOptions
{
    public static ReceiverOptions Default { get; } = new();

    /// <summary>R3: bodies that wait for delivery, over all streams of the topic; beyond it only a body that its stream delivers next is taken. Unit: bytes. <value>Default 64 MiB, at least 0.</value></summary>
    public long BufferedBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>
    /// Streams of one topic that are followed. Only what a quorum certified counts, so the publishers that the topic's policy names, times their live
    /// incarnations (W11) and what retention still keeps of older ones, is what a topic can have. <value>Default 65,536 (about 1 KiB each), at least 1.</value>
    /// </summary>
    public int StreamsMax { get; init; } = 64 * 1024;

    /// <summary>R5: most bodies in one answer to a witness that lacks them; it asks again for the rest. Unit: bytes. <value>Default 16 MiB, at least 0.</value></summary>
    public long HandOverBytesMax { get; init; } = 16L * 1024 * 1024;

    /// <summary>R5: a batch that too few witnesses hold a certificate for is handed to the others after this long. Unit: ticks of the host. <value>Default 10 (of 20 ms), at least 1.</value></summary>
    public int HandOverTicks { get; init; } = 10;

    /// <summary>R4: a stream whose tips are ahead of what was served for this long is asked for elsewhere. Unit: ticks of the host. <value>Default 50 (of 20 ms), at least 1.</value></summary>
    public int LagTicks { get; init; } = 50;

    /// <summary>
    /// R4: how long a stream's server may take to reach what the tips showed when it began, and how long the tips of a watched witness may be behind what others proved; then it is another witness's turn.
    /// Unit: ticks of the host. <value>Default 500 (of 20 ms), at least <see cref="LagTicks"/>.</value>
    /// </summary>
    public int CatchUpTicks { get; init; } = 500;

    /// <summary>The longest wait between two tries. Unit: ticks of the host. <value>Default 1,500 (of 20 ms); at least the other two.</value></summary>
    public int RetryMaxTicks { get; init; } = 1500;

    /// <summary>What is wrong with these options, as a sentence that names the option; null when they are legal.</summary>
    public string? WhyIllegal() =>
        BufferedBytesMax < 0 ? "bufferedBytesMax is at least 0."
        : HandOverBytesMax < 0 ? "handOverBytesMax is at least 0."
        : StreamsMax < 1 ? "streamsMax is at least 1."
        : HandOverTicks < 1 ? "handOverTicks is at least 1."
        : LagTicks < 1 ? "lagTicks is at least 1."
        : CatchUpTicks < LagTicks ? "catchUpTicks is at least lagTicks."
        : RetryMaxTicks < Math.Max(HandOverTicks, LagTicks) ? "retryMaxTicks is at least handOverTicks and lagTicks."
        : null;
}
