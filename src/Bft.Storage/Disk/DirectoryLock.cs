using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bft.Storage;

/// <summary>The right to use a directory, held by one process at a time: an flock, so a process that dies in any way gives it back.</summary>
/// <remarks>Two processes on one journal would sign for one slot twice (P2, W1).</remarks>
public sealed class DirectoryLock : IDisposable
{
    private const string FileName = "lock";
    private const int ExclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB
    private readonly SafeFileHandle _handle;

    private DirectoryLock(SafeFileHandle handle) => _handle = handle;

    /// <summary>Takes the lock of a directory, which is created if it is missing.</summary>
    /// <returns>Null if somebody else holds it, in this process or another.</returns>
    /// <exception cref="DiskException">The lock file cannot be opened or locked.</exception>
    public static DirectoryLock? TryTake(string directory)
    {
        directory = Path.GetFullPath(directory);
        FileDisk.CreateMissing(directory);

        // Never deleted: whoever had the old file open would then hold a lock beside the new one's.
        string path = Path.Combine(directory, FileName);
        SafeFileHandle handle = Posix.Open(path, Posix.ReadWrite | Posix.Create | Posix.NoFollow, 0x180);
        if (Posix.FLock(handle, ExclusiveNow) == 0)
        {
            return new DirectoryLock(handle);
        }

        int errno = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return errno == Posix.WouldBlock ? null : throw new DiskException(path, "flock", errno);
    }

    public void Dispose() => _handle.Dispose();
}
