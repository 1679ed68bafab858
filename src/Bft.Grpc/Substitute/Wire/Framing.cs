using System.IO.Pipelines;

namespace Grpc.Wire;

/// <summary>Sizes of the length-prefixed message format, and of the buffers around it.</summary>
internal static class Framing
{
    /// <summary>One byte of flags, four of length (big-endian).</summary>
    public const int PrefixLength = 5;

    /// <summary>What an array can hold with its prefix.</summary>
    public static readonly int LengthMax = Array.MaxLength - PrefixLength;

    /// <summary>Bytes that <see cref="Core.WriteFlags.BufferHint"/> may keep back.</summary>
    public const int HeldBackMax = 64 * 1024;

    /// <summary>A message of 64 KiB and its prefix fit one buffer of the pool, so that they are one write.</summary>
    public static readonly StreamPipeWriterOptions RequestBuffers = new(minimumBufferSize: 128 * 1024, leaveOpen: true);

    public static readonly StreamPipeReaderOptions ResponseBuffers = new(bufferSize: 64 * 1024, minimumReadSize: 16 * 1024, useZeroByteReads: true);
}
