using System.Buffers;

namespace Bft.Wire;

/// <summary>Memory from the shared pool: a body is too large for a new array each time. Given back once, by whoever owns it last.</summary>
public sealed class PooledBuffer : IMemoryOwner<byte>
{
    private readonly int _length;
    private byte[]? _array;

    private PooledBuffer(int length)
    {
        _length = length;
        _array = ArrayPool<byte>.Shared.Rent(length);
    }

    /// <exception cref="ObjectDisposedException">The memory was given back.</exception>
    public Memory<byte> Memory => (_array ?? throw new ObjectDisposedException(nameof(PooledBuffer))).AsMemory(0, _length);

    /// <summary>A buffer with unspecified content.</summary>
    /// <param name="length">Unit: bytes.</param>
    public static PooledBuffer Rent(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new PooledBuffer(length);
    }

    /// <summary>A buffer with these bytes.</summary>
    public static PooledBuffer CopyOf(in ReadOnlySequence<byte> bytes)
    {
        PooledBuffer buffer = new(checked((int)bytes.Length));
        bytes.CopyTo(buffer._array);
        return buffer;
    }

    /// <summary>Gives the memory back; a second call does nothing, so that it never lands in the pool twice.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}
