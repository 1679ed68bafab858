using System.Runtime.InteropServices;

namespace Bft.Storage;

/// <summary>The disk refused an operation. After a refused write or flush nothing is known about what was written before.</summary>
public sealed class DiskException : IOException
{
    public DiskException(string path, string operation, int errno)
        : base($"{operation} of {path} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).")
    {
        Path = path;
        Operation = operation;
        Errno = errno;
    }

    internal DiskException(string path, string operation, Exception cause)
        : base($"{operation} of {path} failed: {cause.Message}", cause)
    {
        Path = path;
        Operation = operation;
        // The framework puts the raw errno there on Unix.
        Errno = cause.HResult;
    }

    /// <summary>Whether the framework says with an exception that the system refused a file operation.</summary>
    internal static bool IsRefusal(Exception exception) => exception is IOException or UnauthorizedAccessException;

    public string Path { get; }

    /// <value>The system call, for instance <c>fdatasync</c>.</value>
    public string Operation { get; }

    /// <value>The system's error number, for instance 28 (ENOSPC).</value>
    public int Errno { get; }
}
