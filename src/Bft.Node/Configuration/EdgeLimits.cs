namespace Bft.Node;

/// <summary>What bounds the memory that connections, clients and peers can make a witness use.</summary>
public sealed record EdgeLimits
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    public static EdgeLimits Default { get; } = new();

    /// <summary>Most connections. <value>Default 512.</value></summary>
    public int ConnectionsMax { get; init; } = 512;

    /// <summary>Most connections on which no session is open; a newer one displaces the oldest. <value>Default 128, well below <see cref="ConnectionsMax"/>, so that strangers leave room for clients.</value></summary>
    public int StrangersMax { get; init; } = 128;

    /// <summary>Most calls on one connection. <value>Default 64.</value></summary>
    public int CallsPerConnectionMax { get; init; } = 64;

    /// <summary>Most sessions of one identity at a time, over all connections. <value>Default 32.</value></summary>
    public int SessionsPerIdentityMax { get; init; } = 32;

    /// <summary>What a sender may have under way on one call before it is read. Unit: bytes. <value>Default 4 MiB: a whole batch.</value></summary>
    public int StreamWindowBytes { get; init; } = 4 * MiB;

    /// <summary>The same for a connection. Unit: bytes. <value>Default 8 MiB; above the stream window, so that one full call does not stop the others.</value></summary>
    public int ConnectionWindowBytes { get; init; } = 8 * MiB;

    /// <summary>What is written ahead on one call for a reader that has not taken it yet. Unit: bytes. <value>Default 512 KiB.</value></summary>
    public int ResponseBufferBytes { get; init; } = 512 * KiB;

    /// <summary>How long a client may take to prove who it is. <value>Default 10 s.</value></summary>
    public TimeSpan HelloTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What publishers sent that is being verified, or waits for the core or for its flush; beyond it they wait in fair order. Unit: bytes, with 4 KiB for each batch.
    /// <value>Default 2 MiB: two group commits. All wait behind it, so larger is slower for those who want little; smaller leaves the disk idle.</value>
    /// </summary>
    public int AdmittedBytesMax { get; init; } = 2 * MiB;

    /// <summary>Verified input of peers, all together, that waits for the core or for its flush. Unit: bytes. <value>Default 48 MiB.</value></summary>
    public int InputBytesMax { get; init; } = 48 * MiB;

    /// <summary>The same for one call, so that one peer cannot fill it. Unit: bytes. <value>Default 16 MiB.</value></summary>
    public int InputBytesPerCallMax { get; init; } = 16 * MiB;

    /// <summary>Frames that wait for one peer or publisher; beyond it the call ends, and what matters is sent again on the next. Unit: bytes. <value>Default 8 MiB.</value></summary>
    public int OutboxBytesMax { get; init; } = 8 * MiB;

    /// <summary>R6: a subscriber that takes nothing for so long is told to come back. <value>Default 60 s.</value></summary>
    public TimeSpan SlowConsumerTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a call that is otherwise silent says that it is alive. <value>Default 1 s.</value></summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A graceful stop takes at most this long. <value>Default 5 s.</value></summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Segment size of the journal. Unit: bytes. <value>Default 64 MiB.</value></summary>
    public long JournalSegmentBytes { get; init; } = 64 * MiB;
}
