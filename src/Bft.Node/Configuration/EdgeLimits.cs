using Bft.Configuration;

namespace Bft.Node;

/// <summary>What bounds the memory that connections, clients and peers can make a witness use.</summary>
public sealed record EdgeLimits
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    public static EdgeLimits Default { get; } = new();

    /// <summary>With what cluster.yaml says otherwise. What is counted in connections and calls keeps its share of <see cref="ConnectionsMax"/>.</summary>
    public EdgeLimits With(EdgePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        EdgeLimits scaled = policy.ConnectionsMax is not { } connections ? this : this with
        {
            ConnectionsMax = connections,
            ConnectionsPerAddressMax = ShareOf(ConnectionsPerAddressMax),
            StrangersMax = ShareOf(StrangersMax),
            CallsMax = ShareOf(CallsMax),
            PendingCallsMax = ShareOf(PendingCallsMax),
            PendingCallsPerAddressMax = ShareOf(PendingCallsPerAddressMax),
        };
        return scaled with
        {
            ConnectionsPerAddressMax = policy.ConnectionsPerAddressMax ?? scaled.ConnectionsPerAddressMax,
            StrangersMax = policy.StrangersMax ?? scaled.StrangersMax,
            ConnectionsPerIdentityMax = policy.PerKeyMax ?? scaled.ConnectionsPerIdentityMax,
            SessionsPerIdentityMax = policy.PerKeyMax ?? scaled.SessionsPerIdentityMax,
            UnreadBytesMax = policy.UnreadBytesMax ?? scaled.UnreadBytesMax,
        };

        int ShareOf(int usual) => (int)((long)usual * connections / ConnectionsMax);
    }

    /// <summary>How long empty frames may come at the highest rate before it counts. Unit: seconds.</summary>
    internal const int FrameBurstSeconds = 5;

    /// <summary>Most connections. <value>Default 512.</value></summary>
    public int ConnectionsMax { get; init; } = EdgePolicy.ConnectionsByDefault;

    /// <summary>Most connections from one address (for IPv6: one /64). <value>Default 384, well below <see cref="ConnectionsMax"/>; a hundred clients behind one address have two hundred.</value></summary>
    public int ConnectionsPerAddressMax { get; init; } = 384;

    /// <summary>Most connections on which one identity has opened a session. <value>Default 32.</value></summary>
    public int ConnectionsPerIdentityMax { get; init; } = 32;

    /// <summary>Most connections on which no session is open; a newer one displaces the oldest of the address that has most. <value>Default 128, well below <see cref="ConnectionsMax"/>, so that strangers leave room for clients.</value></summary>
    public int StrangersMax { get; init; } = 128;

    /// <summary>How long a connection may be without a session. <value>Default 2 min; who only watches the health service dials again then.</value></summary>
    public TimeSpan StrangerPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>What may be sent on a connection, over all its calls, before a session is open. Unit: bytes. <value>Default 64 KiB.</value></summary>
    public int StrangerBytesMax { get; init; } = 64 * KiB;

    /// <summary>Most calls, over all connections. <value>Default 2,048.</value></summary>
    public int CallsMax { get; init; } = 2048;

    /// <summary>Most calls on one connection. <value>Default 64.</value></summary>
    public int CallsPerConnectionMax { get; init; } = 64;

    /// <summary>Most calls without a session, yet or ever, over all connections. <value>Default 512.</value></summary>
    public int PendingCallsMax { get; init; } = 512;

    /// <summary>The same of one address. <value>Default 256.</value></summary>
    public int PendingCallsPerAddressMax { get; init; } = 256;

    /// <summary>The same on one connection. <value>Default 32.</value></summary>
    public int PendingCallsPerConnectionMax { get; init; } = 32;

    /// <summary>Most sessions of one identity at a time, over all connections. <value>Default 32.</value></summary>
    public int SessionsPerIdentityMax { get; init; } = 32;

    /// <summary>HTTP/2 frames a second on one connection that carry no content (all but DATA, and DATA of a few bytes), for five seconds at most, once a key was proven. <value>Default 5,000.</value></summary>
    public int FramesPerSecond { get; init; } = 5000;

    /// <summary>The same before. <value>Default 200.</value></summary>
    public int StrangerFramesPerSecond { get; init; } = 200;

    /// <summary>Request bytes, over all connections, that arrived and that no call has taken yet, unfinished messages too; beyond it the identity that holds most loses a connection. Unit: bytes. <value>Default 192 MiB.</value></summary>
    public long UnreadBytesMax { get; init; } = 192 * MiB;

    /// <summary>How long a message may take to come, beside a second per 16 KiB. <value>Default 30 s.</value></summary>
    public TimeSpan MessagePatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Offences (see <see cref="Offence"/>) that are a ban. <value>Default 100.</value></summary>
    public double OffencesMax { get; init; } = 100;

    /// <summary>In which offences fade by half. <value>Default 1 min.</value></summary>
    public TimeSpan OffenceHalfLife { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The first ban; each next one is twice as long. <value>Default 1 s.</value></summary>
    public TimeSpan BanMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest ban. <value>Default 10 min.</value></summary>
    public TimeSpan BanMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>For each such time without a ban the next one is half as long. <value>Default 5 min.</value></summary>
    public TimeSpan BanForgivenAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Most addresses, and most identities, whose offences are remembered, some 200 bytes each. <value>Default 4,096.</value></summary>
    public int BanEntriesMax { get; init; } = 4096;

    /// <summary>New connections a second that a banned address gets all the same. <value>Default 10.</value></summary>
    public int BannedEntriesPerSecond { get; init; } = 10;

    /// <summary>What a sender may have under way on one call before it is read. Unit: bytes. <value>Default 1 MiB.</value></summary>
    public int StreamWindowBytes { get; init; } = 1 * MiB;

    /// <summary>The same for a connection. Unit: bytes. <value>Default 2 MiB; above the stream window, so that one full call does not stop the others.</value></summary>
    public int ConnectionWindowBytes { get; init; } = 2 * MiB;

    /// <summary>Bytes of a connection, still under TLS, that are read ahead. Unit: bytes. <value>Default 256 KiB: with 64 KiB a witness took a sixth less from one publisher.</value></summary>
    public int TransportBufferBytes { get; init; } = 256 * KiB;

    /// <summary>What is written ahead on one call for a reader that has not taken it yet. Unit: bytes. <value>Default 512 KiB.</value></summary>
    public int ResponseBufferBytes { get; init; } = 512 * KiB;

    /// <summary>How long a client may take to prove who it is. <value>Default 10 s.</value></summary>
    public TimeSpan HelloTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What publishers sent that is being verified, or waits for the core or for its flush: as much as takes about 10 ms, at most so much; beyond it they wait in fair order. One that is alone gets all of it.
    /// Unit: bytes, with 4 KiB for each batch. <value>Default 8 MiB.</value>
    /// </summary>
    public int AdmittedBytesMax { get; init; } = 8 * MiB;

    /// <summary>The same, at least: what a disk that takes longer than that for a flush still gets at a time, and never less than two batches. Unit: bytes. <value>Default 128 KiB.</value></summary>
    public int AdmittedBytesMin { get; init; } = 128 * KiB;

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

    /// <summary>The same on a publisher's call: nobody there draws a conclusion from silence, and a beat a second for each of a thousand publishers is work for nothing. <value>Ten times <see cref="HeartbeatInterval"/>.</value></summary>
    internal TimeSpan PublisherHeartbeatInterval => 10 * HeartbeatInterval;

    /// <summary>A graceful stop takes at most this long. <value>Default 5 s.</value></summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Segment size of the journal. Unit: bytes. <value>Default 64 MiB.</value></summary>
    public long JournalSegmentBytes { get; init; } = 64 * MiB;
}
