using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bft.Storage;

/// <summary>Owner and mode of an open file. The framework knows the mode but not the owner.</summary>
internal readonly partial record struct FileStatus(uint Owner, int Mode)
{
    // struct statx has the same layout on every architecture, unlike struct stat.
    private const int StatusBytes = 256;
    private const int OwnerOffset = 20;
    private const int ModeOffset = 28;
    private const int EmptyPath = 0x1000;
    private const uint BasicFields = 0x7ff;

    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;

    public bool IsRegularFile => (Mode & TypeMask) == RegularFile;

    /// <value>The mode without the file type, for instance 0600 octal.</value>
    public int Permissions => Mode & 0xFFF;

    public static FileStatus Of(SafeFileHandle file, string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        Posix.Check(StatX(file, "", EmptyPath, BasicFields, status), path, "statx");
        return new FileStatus(BinaryPrimitives.ReadUInt32LittleEndian(status[OwnerOffset..]), BinaryPrimitives.ReadUInt16LittleEndian(status[ModeOffset..]));
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> status);
}
