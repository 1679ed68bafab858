using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bft.Storage;

/// <summary>A file that nobody but its owner can read or replace: mode 0600 in a directory of mode 0700, no symbolic link.</summary>
internal static class ProtectedFile
{
    private const int OwnerReadWrite = 0x180;    // 0600
    private const int OwnerAll = 0x1C0;          // 0700

    public static SecretBytes Read(string path, int bytesMax)
    {
        path = Path.GetFullPath(path);
        using SafeFileHandle directory = OpenDirectory(path);
        // Without NonBlocking, opening a pipe would wait for its writer for ever.
        using SafeFileHandle file = Posix.TryOpenAt(directory, Path.GetFileName(path), Posix.ReadOnly | Posix.NoFollow | Posix.NonBlocking);
        if (file.IsInvalid)
        {
            throw new KeyFileException(path, Marshal.GetLastPInvokeError() switch
            {
                Posix.FileNotFound => "there is no such file.",
                Posix.SymbolicLinkLoop => "is a symbolic link, and whoever can change the link could change the key. Name the file itself.",
                int errno => $"cannot be opened: {Marshal.GetPInvokeErrorMessage(errno)}.",
            });
        }

        FileStatus status = FileStatus.Of(file, path);
        if (!status.IsRegularFile)
        {
            throw new KeyFileException(path, "is no regular file.");
        }

        CheckAccess(path, status, OwnerReadWrite, "600");
        long length = RandomAccess.GetLength(file);
        if (length > bytesMax)
        {
            throw new KeyFileException(path, $"has {length} bytes; a key has at most {bytesMax}.");
        }

        SecretBytes content = new((int)length);
        if (RandomAccess.Read(file, content.Span, 0) != content.Length)
        {
            content.Dispose();
            throw new KeyFileException(path, "changed while it was read.");
        }

        return content;
    }

    /// <summary>Creates the file, durably; never overwrites one.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        path = Path.GetFullPath(path);
        FileDisk.CreateMissing(Path.GetDirectoryName(path)!);
        using SafeFileHandle directory = OpenDirectory(path);
        const int Flags = Posix.ReadWrite | Posix.Create | Posix.Exclusive;
        using SafeFileHandle file = Posix.TryOpenAt(directory, Path.GetFileName(path), Flags | Posix.NoFollow, OwnerReadWrite);
        if (file.IsInvalid)
        {
            throw Marshal.GetLastPInvokeError() is Posix.Exists
                ? new KeyFileException(path, "exists, and a key is never overwritten. Move it away if it is really not needed.")
                : new DiskException(path, "open", Marshal.GetLastPInvokeError());
        }

        try
        {
            RandomAccess.Write(file, content, 0);
            Posix.Check(Posix.FSync(file), path, "fsync");
            Posix.Check(Posix.FSync(directory), Path.GetDirectoryName(path)!, "fsync");
        }
        catch
        {
            // Half a key would stand in the way of a whole one.
            _ = Posix.Unlink(path);
            throw;
        }
    }

    private static SafeFileHandle OpenDirectory(string path)
    {
        string name = Path.GetDirectoryName(path) ?? throw new KeyFileException(path, "is a directory.");
        SafeFileHandle directory = Posix.TryOpen(name, Posix.ReadOnly | Posix.Directory);
        if (directory.IsInvalid)
        {
            throw new KeyFileException(path, $"its directory cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        try
        {
            CheckAccess(name, FileStatus.Of(directory, name), OwnerAll, "700");
            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private static void CheckAccess(string path, FileStatus status, int permissionsMax, string octal)
    {
        uint user = Posix.EffectiveUser();
        if (status.Owner != user)
        {
            throw new KeyFileException(path, $"belongs to user {status.Owner}, but this process runs as user {user}. Fix: chown {user} '{path}'");
        }

        if ((status.Permissions & ~permissionsMax) != 0)
        {
            throw new KeyFileException(
                path, $"has mode {Convert.ToString(status.Permissions, 8)}, so that others could read or replace the key. Fix: chmod {octal} '{path}'");
        }
    }
}
