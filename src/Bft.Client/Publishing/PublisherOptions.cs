using Bft.Protocol;

namespace Bft.Client;

/// <summary>What <see cref="Publisher.SendAsync"/> does when there is no room (P4).</summary>
public enum WhenFull
{
    /// <summary>Wait until there is.</summary>
    Wait,

    /// <summary>Throw <see cref="PublisherFullException"/> at once.</summary>
    Fail,
}

/// <summary>How a publisher fills and sends its batches.</summary>
/// <remarks>There is no linger: a batch leaves at once while fewer than <see cref="PipelineDepth"/> are in flight, and fills while they are.</remarks>
public sealed record PublisherOptions
{
    public static PublisherOptions Default { get; } = new();

    /// <summary>Batches in flight below which a batch leaves without being full. <value>Default 4, from 1 to 256.</value></summary>
    public int PipelineDepth { get; init; } = 4;

    /// <summary>A batch with this many bytes is full. Unit: bytes. <value>Default 256 KiB, from 4 KiB; cut to the cluster's largest batch.</value></summary>
    public int BatchBytesTarget { get; init; } = 256 * 1024;

    /// <summary>Full batches that wait for their turn, before <see cref="WhenFull"/> decides. <value>Default 4, from 1 to 64.</value></summary>
    public int WaitingBatchesMax { get; init; } = 4;

    /// <summary>P4. <value>Default: wait.</value></summary>
    public WhenFull WhenFull { get; init; } = WhenFull.Wait;

    /// <summary>
    /// Keep the bodies of batches as long as one of their tickets is referenced, so that <see cref="PublishTicket.GetReceiptAsync"/> works.
    /// <value>Default false: bodies go back to a pool, and receipts come from <see cref="Publisher.PublishAsync"/>.</value>
    /// </summary>
    public bool KeepReceipts { get; init; }

    /// <summary>Covered batches are dropped from the queue to a slow witness, which gets them from its peers, beyond this. Unit: bytes. <value>Default 8 MiB, at least 0.</value></summary>
    public long SendQueueBytesMax { get; init; } = 8L * 1024 * 1024;

    /// <summary>P2: keep a journal (needs a data directory). Without one each start opens a new incarnation. <value>Default true.</value></summary>
    public bool KeepJournal { get; init; } = true;

    /// <summary>How long <see cref="Publisher.DisposeAsync"/> waits for what was sent to be certified. <value>Default 5 s, from 0 to 1 hour.</value></summary>
    public TimeSpan DisposeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is wrong with these options, as a sentence that names the option; null when they are legal.</summary>
    public string? WhyIllegal() =>
        PipelineDepth is < 1 or > 256 ? "PipelineDepth is from 1 to 256."
        : BatchBytesTarget < 4 * 1024 ? "BatchBytesTarget is at least 4 KiB."
        : WaitingBatchesMax is < 1 or > 64 ? "WaitingBatchesMax is from 1 to 64."
        : SendQueueBytesMax < 0 ? "SendQueueBytesMax is at least 0."
        : DisposeTimeout < TimeSpan.Zero || DisposeTimeout > TimeSpan.FromHours(1) ? "DisposeTimeout is from 0 to 1 hour."
        : null;

    internal int BatchBytesOf(ClusterLimits limits) => Math.Min(BatchBytesTarget, limits.BatchBytesMax);
}
