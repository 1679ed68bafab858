using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bft.Storage;

/// <summary>Owner and mode of a file. The framework knows the mode but not the owner.</summary>
internal readonly partial record struct FileStatus(uint Owner, int Mode)
{
    // struct statx has the same layout on every architecture, unlike struct stat.
    private const int StatusBytes = 256;
    private const int OwnerOffset = 20;
    private const int ModeOffset = 28;
    private const int EmptyPath = 0x1000;
    private const int LinkItself = 0x100;
    private const int CurrentDirectory = -100;
    private const uint BasicFields = 0x7ff;

    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int Directory = 0x4000;
    private const int Socket = 0xC000;
    private const int Sticky = 0x200;

    public bool IsRegularFile => (Mode & TypeMask) == RegularFile;

    public bool IsDirectory => (Mode & TypeMask) == Directory;

    public bool IsSocket => (Mode & TypeMask) == Socket;

    /// <summary>In such a folder only the owner of a file may rename or remove it.</summary>
    public bool IsSticky => (Mode & Sticky) != 0;

    /// <value>The mode without the file type, for instance 0600 octal.</value>
    public int Permissions => Mode & 0xFFF;

    public static FileStatus Of(SafeFileHandle file, string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        Posix.Check(StatX(file, "", EmptyPath, BasicFields, status), path, "statx");
        return Of(status);
    }

    /// <summary>Of what has this name, and be it a symbolic link.</summary>
    /// <returns>Null when it cannot be looked at; then the last system error says why.</returns>
    public static FileStatus? TryOf(string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        return StatX(CurrentDirectory, path, LinkItself, BasicFields, status) == 0 ? Of(status) : null;
    }

    private static FileStatus Of(ReadOnlySpan<byte> status) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(status[OwnerOffset..]), BinaryPrimitives.ReadUInt16LittleEndian(status[ModeOffset..]));

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, Span<byte> status);
}
