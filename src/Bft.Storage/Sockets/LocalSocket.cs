using System.Net.Sockets;

namespace Bft.Storage;

/// <summary>A Unix socket as those see it who dial it, if it is on their host. Thread-safe.</summary>
/// <param name="path">From the root on.</param>
/// <param name="passOver">Told, once for each such socket, why it is there and is not dialled.</param>
public sealed class LocalSocket(string path, Action<string> passOver)
{
    /// <summary>A file this young may belong to a process that is about to listen.</summary>
    private static readonly TimeSpan Youth = TimeSpan.FromSeconds(2);

    private long _refused; // when the file was made that nobody, or somebody else, listens on
    private long _told; // when the file was made of which it was said why it is not dialled

    public string Path => path;

    /// <summary>Whether it is worth dialling. A file that was dialled in vain is passed over until there is another in its place.</summary>
    public bool IsThere()
    {
        long made = MadeAt;
        if (!File.Exists(path) || made == Volatile.Read(ref _refused))
        {
            return false;
        }

        string? problem = !SocketPlace.IsGuarded(path, out _, out string? open) ? open
            : Posix.MayWrite(path) != 0 ? "this user may not open it."
            : null;
        if (problem is not null && Interlocked.Exchange(ref _told, made) != made)
        {
            passOver(problem);
        }

        return problem is null;
    }

    private long MadeAt => File.GetLastWriteTimeUtc(path).Ticks;

    /// <summary>Connects, and makes sure that the one who listens is the folder's owner.</summary>
    /// <exception cref="IOException">Nobody listens, or somebody else does.</exception>
    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        long made = MadeAt;
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (!SocketPlace.IsGuarded(path, out uint owner, out string? open))
            {
                throw new IOException(open);
            }

            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return SocketPlace.UserBehind(socket) is uint user && (user == owner || user == 0)
                ? new NetworkStream(socket, ownsSocket: true)
                : throw new IOException($"user {user} listens there, and not user {owner}, whose folder it is in.");
        }
        catch (Exception problem)
        {
            socket.Dispose();
            if (problem is OperationCanceledException)
            {
                throw;
            }

            if ((DateTime.UtcNow.Ticks - made) is long age && Math.Abs(age) > Youth.Ticks)
            {
                Volatile.Write(ref _refused, made);
            }

            throw new IOException($"unix:{path}: {problem.Message}", problem);
        }
    }
}
