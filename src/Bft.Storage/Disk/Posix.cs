using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bft.Storage;

/// <summary>The system calls that the framework lacks, or whose errors it ignores.</summary>
/// <remarks>
/// The framework's flush is fsync (never fdatasync), cannot flush a directory, and ignores EROFS, EINVAL and ENOTSUP: a flush that did
/// nothing would count as one. Constants are those of Linux on x86-64 and arm64 (where O_DIRECTORY and O_NOFOLLOW differ).
/// </remarks>
internal static partial class Posix
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;

    public const int DoNotNeed = 4; // POSIX_FADV_DONTNEED

    public const int FileNotFound = 2;
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int Exists = 17;
    public const int SymbolicLinkLoop = 40;
    public const int NotSupported = 95;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static int Directory => IsArm ? 0x4000 : 0x10000;

    public static int NoFollow => IsArm ? 0x8000 : 0x20000;

    /// <summary>Opens a path; the caller looks at <see cref="SafeHandle.IsInvalid"/>, then at the last system error.</summary>
    public static SafeFileHandle TryOpen(string path, int flags, int mode = 0) => TryOpenAt(CurrentDirectory, path, flags, mode);

    public static SafeFileHandle TryOpenAt(SafeFileHandle directory, string name, int flags, int mode = 0)
    {
        bool added = false;
        try
        {
            directory.DangerousAddRef(ref added);
            return TryOpenAt((int)directory.DangerousGetHandle(), name, flags, mode);
        }
        finally
        {
            if (added)
            {
                directory.DangerousRelease();
            }
        }
    }

    public static SafeFileHandle Open(string path, int flags, int mode = 0)
    {
        SafeFileHandle handle = TryOpen(path, flags, mode);
        return handle.IsInvalid ? throw new DiskException(path, "open", Marshal.GetLastPInvokeError()) : handle;
    }

    /// <summary>Makes a directory's names durable.</summary>
    public static void FlushDirectory(string path)
    {
        using SafeFileHandle directory = Open(path, ReadOnly | Directory);
        Check(FSync(directory), path, "fsync");
    }

    public static void Check(int result, string path, string operation)
    {
        if (result != 0)
        {
            throw new DiskException(path, operation, Marshal.GetLastPInvokeError());
        }
    }

    private const int CurrentDirectory = -100;
    private const int WriteAccess = 2;
    private const int EffectiveAccess = 0x200; // of the effective user

    private static SafeFileHandle TryOpenAt(int directory, string name, int flags, int mode)
    {
        int descriptor;
        do
        {
            descriptor = OpenAt(directory, name, flags | CloseOnExec, mode);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Interrupted);

        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int directory, string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int FAllocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    public static partial int FAdvise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int FTruncate(SafeFileHandle file, long length);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int FLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, int mode);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    /// <summary>0 when this process may write to what has the name, and connect to it if it is a socket.</summary>
    public static int MayWrite(string path) => AccessAt(CurrentDirectory, path, WriteAccess, EffectiveAccess);

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AccessAt(int directory, string path, int mode, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();
}
