using System.Net.Sockets;
using Bft.Crypto;
using Bft.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Bft.Node;

/// <summary>One connection. It waits in the lobby whenever it carries no session.</summary>
internal sealed class Visitor(Lobby lobby, ConnectionContext connection, EdgeLimits limits)
{
    private readonly Unread _unread = new(4 * limits.CallsPerConnectionMax); // those that are being dropped stay for a moment
    private long _strangerBytes;
    private PublicKey? _owner;
    private volatile bool _isKnown;

    public NetworkPart Address { get; } = connection.Features.Get<IConnectionSocketFeature>()?.Socket is { AddressFamily: AddressFamily.Unix } socket
        ? NetworkPart.OfUser(SocketPlace.UserBehind(socket))
        : NetworkPart.Of(connection.RemoteEndPoint);

    /// <summary>Who proved last to be at the other end. The lobby's lock guards what it writes.</summary>
    public PublicKey? Owner
    {
        get => _isKnown ? _owner : null;
        set
        {
            _owner = value;
            _isKnown = true;
        }
    }

    /// <summary>A session was open on it at some time: if it misbehaves, it is an identity that does, not an address.</summary>
    public bool IsKnown => _isKnown;

    /// <summary>Body bytes that arrived and that no call has taken. Unit: bytes.</summary>
    public long UnreadBytes => _unread.Bytes;

    /// <summary>Sessions open on it. Guarded by the lobby's lock.</summary>
    public int Sessions { get; set; }

    /// <summary>Calls on it that have no session, yet or ever. Guarded by the lobby's lock.</summary>
    public int Pending { get; set; }

    /// <summary>Its place in the lobby, and since when. Guarded by the lobby's lock.</summary>
    public LinkedListNode<Visitor>? Place { get; set; }

    public long WaitingSinceMs { get; set; }

    /// <summary>Bodies being read. Guarded by the lobby's lock.</summary>
    public HashSet<BodyReader> Bodies { get; } = []; // bound: calls on a connection

    /// <summary>Of the TLS key that was shown on it; zeros on the Unix socket, where there is no TLS.</summary>
    public Digest Pin { get; set; }

    /// <summary>TLS came about.</summary>
    public bool HasTls { get; set; }

    /// <summary>The witness itself ended it, or it is over.</summary>
    public bool IsGone { get; set; }

    public void Begin(int stream) => _unread.Begin(stream);

    public void OnBody(int stream, int bytes)
    {
        if (_unread.Add(stream, bytes) is not { } added)
        {
            Expel("more requests at a time than it may have");
            return;
        }

        lobby.OnUnread(added);
        _strangerBytes += bytes;
        if (!IsKnown && _strangerBytes > limits.StrangerBytesMax)
        {
            Expel("more bytes than it takes to say who one is");
        }
    }

    public void OnTaken(int stream, long bytes) => lobby.OnUnread(-_unread.Take(stream, bytes));

    /// <summary>Nobody reads the stream any more.</summary>
    public void End(int stream) => lobby.OnUnread(-_unread.End(stream));

    /// <summary>Nothing of it counts any more.</summary>
    public void Forget() => lobby.OnUnread(-_unread.Close());

    /// <summary>It did what no client does.</summary>
    public void Expel(string why) => lobby.Expel(this, Offence.Hostile, why);

    public void Abort(string why) => connection.Abort(new ConnectionAbortedException(why));
}
