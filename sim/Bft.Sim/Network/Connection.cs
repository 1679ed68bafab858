namespace Bft.Sim;

/// <summary>One call between two parties. It ends by itself when either goes down.</summary>
internal sealed class Connection(Party client, Party server, ChannelKind kind, bool isOrdered)
{
    public Party Client { get; } = client;

    public Party Server { get; } = server;

    public ChannelKind Kind { get; } = kind;

    /// <summary>The server has taken it, and neither end has left it.</summary>
    public bool IsOpen { get; set; }

    /// <summary>A subscription and a fetch are read in order by what they are (R7); other calls only where the transport keeps order.</summary>
    public bool IsOrdered { get; } = isOrdered || kind is ChannelKind.Bodies or ChannelKind.Tips or ChannelKind.Fetch;

    /// <summary>Whatever the server keeps for it.</summary>
    public object? ServerState { get; set; }

    /// <summary>Whatever the client keeps for it.</summary>
    public object? ClientState { get; set; }

    /// <summary>Sent to the client, and not there yet. Unit: bytes.</summary>
    public long BytesToClient { get; set; }

    /// <summary>When the last message in each direction arrives: order is kept behind it.</summary>
    public long LastToServer { get; set; }

    /// <inheritdoc cref="LastToServer"/>
    public long LastToClient { get; set; }

    private long _heldToClient;
    private long _heldToServer;

    /// <summary>When the last message arrives that came while its addressee stood still.</summary>
    public long HeldUntil(Party to) => to == Client ? _heldToClient : _heldToServer;

    /// <summary>A place behind those, and not before a time.</summary>
    public long Hold(Party to, long notBefore)
    {
        ref long held = ref to == Client ? ref _heldToClient : ref _heldToServer;
        held = Math.Max(held, notBefore) + 1;
        return held;
    }

    public Party Other(Party end) => end == Client ? Server : Client;
}
