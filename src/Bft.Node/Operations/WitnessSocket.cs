using System.Net;
using System.Net.Sockets;
using Bft.Storage;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Bft.Node;

/// <summary>The Unix socket of a witness: made with the mode 0660, in a folder into which only this user can put anything.</summary>
internal static class WitnessSocket
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Binds what Kestrel listens on. The framework removes the file when the socket is closed.</summary>
    /// <exception cref="NodeFailure">Somebody listens there already, or the place is not safe, or cannot be used.</exception>
    public static Socket Bind(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint local)
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        }

        string path = local.ToString();
        if (!SocketPlace.IsGuarded(path, out uint owner, out string? problem))
        {
            throw Unusable(path, problem);
        }

        if (!SocketPlace.IsOwn(owner))
        {
            throw Unusable(path, $"its folder belongs to user {owner}, and parties take the folder's owner for the witness. Fix: let the witness run as that user, or chown the folder.");
        }

        Clear(path, local);
        Socket socket = NewSocket();
        try
        {
            // Nobody can connect before the socket listens, which it does not yet.
            socket.Bind(local);
            File.SetUnixFileMode(path, Mode);
            return socket;
        }
        catch (Exception error) when (error is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw Unusable(path, error.Message, error);
        }
    }

    /// <summary>A process that was killed leaves its socket behind. Only what nobody listens on is removed.</summary>
    private static void Clear(string path, UnixDomainSocketEndPoint local)
    {
        if (!Path.Exists(path))
        {
            return;
        }

        if (!SocketPlace.IsSocket(path))
        {
            throw Unusable(path, "there is something that is no socket, and it is left alone. Move it away, or name another path.");
        }

        using Socket probe = NewSocket();
        probe.Blocking = false; // one whose queue is full listens, too
        try
        {
            probe.Connect(local);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        catch (SocketException)
        {
        }

        throw new NodeFailure(NodeExitCode.PortTaken, $"Another process listens on unix:{path}. Stop it, or change the path in cluster.yaml.");
    }

    private static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static NodeFailure Unusable(string path, string why, Exception? cause = null) => new(NodeExitCode.Settings, $"unix:{path}: {why}", cause);
}
