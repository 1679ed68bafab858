using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bft.Storage;

/// <summary>A directory of the real file system.</summary>
public sealed class FileDisk : IDisk
{
    private const int OwnerReadWrite = 0x180; // 0600
    private const int KeepSize = 1;           // FALLOC_FL_KEEP_SIZE

    private static long _flushes;

    private FileDisk(string directory) => Directory = directory;

    /// <summary>Flushes of files (fdatasync) since the process began, for those who measure. On any thread.</summary>
    public static long Flushes => Interlocked.Read(ref _flushes);

    /// <value>The full path.</value>
    public string Directory { get; }

    /// <summary>Opens a directory; one that is missing is created with mode 0700, durably.</summary>
    /// <exception cref="DiskException">It cannot be opened or created.</exception>
    public static FileDisk At(string directory)
    {
        directory = Path.GetFullPath(directory);
        CreateMissing(directory);
        Posix.Open(directory, Posix.ReadOnly | Posix.Directory).Dispose();
        return new FileDisk(directory);
    }

    public IReadOnlyList<string> List()
    {
        try
        {
            string[] names = [.. System.IO.Directory.EnumerateFiles(Directory).Select(path => Path.GetFileName(path))];
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (Exception cause) when (DiskException.IsRefusal(cause))
        {
            throw new DiskException(Directory, "readdir", cause);
        }
    }

    public IDiskFile Open(string name)
    {
        string path = PathOf(name);
        return new OpenFile(path, Posix.Open(path, Posix.ReadWrite | Posix.NoFollow));
    }

    public IDiskFile Create(string name, long preallocatedBytes = 0)
    {
        string path = PathOf(name);
        SafeFileHandle handle = Posix.Open(path, Posix.ReadWrite | Posix.Create | Posix.Exclusive | Posix.NoFollow, OwnerReadWrite);
        if (preallocatedBytes > 0 && Posix.FAllocate(handle, KeepSize, 0, preallocatedBytes) != 0)
        {
            DiskException refused = new(path, "fallocate", Marshal.GetLastPInvokeError());
            if (refused.Errno != Posix.NotSupported) // some file systems have none: then writes allocate
            {
                handle.Dispose();
                throw refused;
            }
        }

        return new OpenFile(path, handle);
    }

    public void Delete(string name) => Posix.Check(Posix.Unlink(PathOf(name)), PathOf(name), "unlink");

    public void Rename(string from, string to) => Posix.Check(Posix.Rename(PathOf(from), PathOf(to)), PathOf(from), "rename");

    public void FlushDirectory() => Posix.FlushDirectory(Directory);

    /// <summary>Creates each missing directory of a path with mode 0700, and makes its name durable.</summary>
    internal static void CreateMissing(string directory)
    {
        if (System.IO.Directory.Exists(directory) || Path.GetDirectoryName(directory) is not { } parent)
        {
            return;
        }

        CreateMissing(parent);
        if (Posix.MakeDirectory(directory, 0x1C0) != 0 && Marshal.GetLastPInvokeError() is not Posix.Exists and int errno) // 0700
        {
            throw new DiskException(directory, "mkdir", errno);
        }

        Posix.FlushDirectory(parent);
    }

    private string PathOf(string name)
    {
        if (name.Length == 0 || name is "." or ".." || name.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{name}' is no plain file name.", nameof(name));
        }

        return Path.Combine(Directory, name);
    }

    private sealed class OpenFile(string path, SafeFileHandle handle) : IDiskFile
    {
        public long Length
        {
            get
            {
                try
                {
                    return RandomAccess.GetLength(handle);
                }
                catch (Exception cause) when (DiskException.IsRefusal(cause))
                {
                    throw new DiskException(path, "fstat", cause);
                }
            }
        }

        public int Read(long offset, Span<byte> destination)
        {
            int done = 0;
            try
            {
                while (done < destination.Length && RandomAccess.Read(handle, destination[done..], offset + done) is > 0 and int got)
                {
                    done += got;
                }
            }
            catch (Exception cause) when (DiskException.IsRefusal(cause))
            {
                throw new DiskException(path, "pread", cause);
            }

            return done;
        }

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
        {
            try
            {
                RandomAccess.Write(handle, pieces, offset);
            }
            catch (Exception cause) when (DiskException.IsRefusal(cause))
            {
                throw new DiskException(path, "pwritev", cause);
            }
        }

        public void Flush()
        {
            Posix.Check(Posix.FDataSync(handle), path, "fdatasync");
            Interlocked.Increment(ref _flushes);
        }

        public void Forget(long offset, long length) => _ = Posix.FAdvise(handle, offset, length, Posix.DoNotNeed);

        public void Truncate(long length) => Posix.Check(Posix.FTruncate(handle, length), path, "ftruncate");

        public void Dispose() => handle.Dispose();
    }
}
