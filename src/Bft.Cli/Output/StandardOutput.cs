using System.Runtime.InteropServices;

namespace Bft.Cli.Output;

/// <summary>Whoever read our standard output is gone.</summary>
internal sealed class ClosedOutputException() : IOException("Standard output is closed.");

/// <summary>Standard output as bytes, unbuffered.</summary>
/// <remarks>
/// The console's own stream swallows EPIPE, so that `| head` would never end us; a FileStream writes to a file at positions
/// of its own, so that what a shell appends to the same file would be overwritten. Hence write(2).
/// </remarks>
internal sealed partial class StandardOutput : Stream
{
    private const int Descriptor = 1;
    private const int Interrupted = 4;
    private const int TryAgain = 11;
    private const int BadDescriptor = 9;
    private const int BrokenPipe = 32;
    private const short Writable = 4;

    private StandardOutput()
    {
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static StandardOutput Open() => new();

    /// <exception cref="ClosedOutputException">Nobody reads any more.</exception>
    /// <exception cref="IOException">The disk is full, or the like.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!StandardDescriptors.HasOutput)
        {
            throw new ClosedOutputException();
        }

        while (!buffer.IsEmpty)
        {
            nint written = WriteTo(Descriptor, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            int errno = Marshal.GetLastPInvokeError();
            switch (errno)
            {
                case Interrupted:
                    break;
                case TryAgain:
                    // Somebody made the pipe non-blocking; the other end reads when it reads.
                    Poll poll = new() { Descriptor = Descriptor, Events = Writable };
                    _ = WaitFor(ref poll, 1, -1);
                    break;
                case BrokenPipe or BadDescriptor:
                    throw new ClosedOutputException();
                default:
                    throw new IOException($"Standard output cannot be written: {Marshal.GetPInvokeErrorMessage(errno)}.");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteTo(int descriptor, ReadOnlySpan<byte> buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int WaitFor(ref Poll descriptors, nuint count, int timeoutMilliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct Poll
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }
}
