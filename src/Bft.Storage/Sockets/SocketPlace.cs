using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bft.Storage;

/// <summary>The place of a Unix socket: a folder into which nobody but its owner, and root, can put anything, by whatever name leads there.</summary>
/// <remarks>
/// On such a socket there is no TLS key to pin. What the kernel guards takes its place: who listens there is the folder's owner, and whoever could put a socket
/// of his own in its stead could read the owner's TLS key too (docs/decisions/0015).
/// </remarks>
public static class SocketPlace
{
    private const uint Root = 0;
    private const int WriteOfOthers = 0x12; // 0022
    private const int SocketLevel = 1; // SOL_SOCKET, and its SO_PEERCRED, on x86-64 and arm64
    private const int PeerCredentials = 17;

    /// <summary>Looks at the folder, and at each above it.</summary>
    /// <param name="path">Of the socket, from the root on.</param>
    /// <param name="owner">Who alone can have put the socket there, root apart.</param>
    /// <param name="problem">Whom else it is open to, as a sentence with the command that mends it where there is one.</param>
    public static bool IsGuarded(string path, out uint owner, [NotNullWhen(false)] out string? problem)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string folder = Path.GetDirectoryName(path) ?? "/";
        FileStatus? last = FileStatus.TryOf(folder);
        owner = last?.Owner ?? Root;
        problem = last is not null ? WhyOpen(folder, owner)
            : Marshal.GetLastPInvokeError() is Posix.FileNotFound ? $"there is no folder '{folder}'. Fix: mkdir -m 0750 '{folder}'"
            : WhyUnseen(folder);
        return problem is null;
    }

    /// <summary>Whether this process runs as that user.</summary>
    public static bool IsOwn(uint user) => user == Posix.EffectiveUser();

    /// <summary>Whether a socket has that name, and no link to one.</summary>
    public static bool IsSocket(string path) => FileStatus.TryOf(path) is { IsSocket: true };

    /// <summary>Who is at the other end of a connected Unix socket: of one that listened, who it was then.</summary>
    /// <exception cref="SocketException">The system does not say.</exception>
    public static uint UserBehind(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        Span<byte> credentials = stackalloc byte[3 * sizeof(uint)]; // process, user, group
        socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
        return MemoryMarshal.Read<uint>(credentials[sizeof(uint)..]);
    }

    private static string WhyUnseen(string folder) => $"'{folder}' cannot be looked at: {Marshal.GetLastPInvokeErrorMessage()}.";

    private static string? WhyOpen(string folder, uint owner)
    {
        uint self = Posix.EffectiveUser();
        uint below = owner;
        for (string? at = folder; at is not null; at = Path.GetDirectoryName(at))
        {
            if (FileStatus.TryOf(at) is not { } status)
            {
                return WhyUnseen(at);
            }

            if (!status.IsDirectory)
            {
                return $"'{at}' is no folder, or a symbolic link; write where it leads.";
            }

            if (status.Owner != Root && status.Owner != self && status.Owner != owner)
            {
                return $"'{at}' belongs to user {status.Owner}, who could put another socket there.";
            }

            // In a folder like /tmp others can make names, but not take away those of root and of this user.
            bool isSafeToShare = status.IsSticky && at != folder && (below == Root || below == self);
            if ((status.Permissions & WriteOfOthers) != 0 && !isSafeToShare)
            {
                return $"'{at}' has mode {Convert.ToString(status.Permissions, 8)}, so that others could put another socket there. Fix: chmod go-w '{at}'";
            }

            below = status.Owner;
        }

        return null;
    }
}
