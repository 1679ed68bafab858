using Bft.Protocol.Verification;

namespace Bft.Protocol;

/// <summary>Limits that decide acceptance. They are part of the cluster id, so that no two correct parties judge a batch differently.</summary>
public sealed record ClusterLimits
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    public static ClusterLimits Default { get; } = new();

    /// <summary>Largest batch body. Unit: bytes. <value>Default 4 MiB, from 64 KiB to 16 MiB.</value></summary>
    public int BatchBytesMax { get; init; } = 4 * MiB;

    /// <summary>Largest message record: payload, key, headers and their lengths. Unit: bytes. <value>Default 2 MiB; below <see cref="BatchBytesMax"/> − <see cref="TableBytesMax"/>.</value></summary>
    public int MessageBytesMax { get; init; } = 2 * MiB;

    /// <summary>Most messages in a batch. <value>Default 65,536, from 1 to 1,048,576.</value></summary>
    public int MessageCountMax { get; init; } = 64 * KiB;

    /// <summary>Largest chunk table. Unit: bytes. <value>Default 256 KiB, from 1 KiB to half of <see cref="BatchBytesMax"/>.</value></summary>
    public int TableBytesMax { get; init; } = 256 * KiB;

    /// <summary>W: most batches of a stream above its highest covered slot, and the longest reach of one ack. <value>Default 256, from 1 to 4,096.</value></summary>
    public int WindowSlots { get; init; } = 256;

    /// <summary>B: most body bytes of a stream above its highest covered slot. Unit: bytes. <value>Default 32 MiB; at least <see cref="BatchBytesMax"/>.</value></summary>
    public long WindowBytes { get; init; } = 32 * MiB;

    /// <summary>What is wrong with these limits, as a sentence that names the limit; null when they are legal.</summary>
    public string? WhyIllegal()
    {
        return BatchBytesMax is < 64 * KiB or > 16 * MiB ? "batchBytesMax is from 64 KiB to 16 MiB."
            : TableBytesMax < KiB || TableBytesMax > BatchBytesMax / 2 ? "tableBytesMax is from 1 KiB to half of batchBytesMax."
            : MessageBytesMax < KiB || MessageBytesMax > BatchBytesMax - TableBytesMax ? "messageBytesMax is from 1 KiB to batchBytesMax − tableBytesMax."
            : MessageCountMax is < 1 or > MiB ? "messageCountMax is from 1 to 1,048,576."
            : WindowSlots is < 1 or > 4 * KiB ? "windowSlots is from 1 to 4,096."
            : WindowBytes < BatchBytesMax || WindowBytes > 1024L * MiB ? "windowBytes is from batchBytesMax to 1 GiB."
            : null;
    }
}

/// <summary>Limits of the formats, the same for every cluster.</summary>
public static class FormatLimits
{
    /// <summary>Chunks are cut greedily at message boundaries at this size; a larger message has its own chunk. Unit: bytes.</summary>
    public const int ChunkBytesTarget = 16 * 1024;

    /// <summary>Longest subject. Unit: bytes of UTF-8.</summary>
    public const int SubjectBytesMax = 255;

    /// <summary>Most headers of one message.</summary>
    public const int HeaderCountMax = 64;

    /// <summary>Longest content type. Unit: bytes of UTF-8.</summary>
    public const int ContentTypeBytesMax = 255;

    /// <summary>Most leaves under one ack root. A path is then at most <see cref="AckPathMax"/> digests long.</summary>
    public const int AckLeavesMax = 4096;

    /// <summary>Longest path from a leaf to its ack root: log2 of <see cref="AckLeavesMax"/>.</summary>
    public const int AckPathMax = 12;

    /// <summary>Longest path from a chunk to its body's root: log2 of the most chunks, one per message and the table, rounded up.</summary>
    public const int BodyPathMax = 21;

    /// <summary>Largest batch statement: the fixed part and the longest topic. Unit: bytes.</summary>
    public const int BatchStatementBytesMax = BatchStatement.FixedLength + Model.Topic.LengthMax;
}

/// <summary>A node's own limits: they bound its memory and never decide what is true, so witnesses may differ in them.</summary>
public sealed record NodeLimits
{
    public static NodeLimits Default { get; } = new();

    /// <summary>W4: most body bytes of batches that wait for a predecessor, over all streams. Unit: bytes. <value>Default 64 MiB; at least one window of one stream.</value></summary>
    public long HeldBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>C3: most acks kept per sending witness for streams that are not known yet. <value>Default 4,096 (about 1 MiB).</value></summary>
    public int UnknownAcksMax { get; init; } = 4096;

    /// <summary>W11: K, the most live incarnations of one publisher in one topic. <value>Default 8; at least 2.</value></summary>
    public int LiveIncarnationsMax { get; init; } = 8;

    /// <summary>W11: most retired incarnations of one publisher and topic, of which nothing is certified, whose acks are kept and exchanged. <value>Default 32.</value></summary>
    public int RetiredIncarnationsMax { get; init; } = 32;

    /// <summary>C3: most streams of one publisher, idle ones included, before its batches begin no other. <value>Default 65,536 (about 100 MiB).</value></summary>
    public int StreamsPerPublisherMax { get; init; } = 65_536;

    /// <summary>C3: the same of all publishers together. <value>Default 262,144 (about 400 MiB); at least <see cref="StreamsPerPublisherMax"/>.</value></summary>
    public int StreamsMax { get; init; } = 262_144;

    /// <summary>Verified ack roots remembered by one verifier. <value>Default 1,024.</value></summary>
    public int RememberedRootsMax { get; init; } = 1024;

    /// <summary>A batch known certified whose body did not arrive by itself is fetched from a peer when its stream has stood still for this long; up to ten times as long while more is missing than can be fetched at once. Unit: ticks of the host. <value>Default 10 (of 20 ms).</value></summary>
    public int FetchAfterTicks { get; init; } = 10;

    /// <summary>A fetch that brought nothing for this long is given to the next peer. Unit: ticks of the host. <value>Default 50 (of 20 ms).</value></summary>
    public int FetchTimeoutTicks { get; init; } = 50;
}
