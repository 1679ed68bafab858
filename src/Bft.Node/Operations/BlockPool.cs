using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Bft.Node;

/// <summary>Gives Kestrel buffers of 16 KiB for its own of 4 KiB: as much as a TLS record or an HTTP/2 frame holds, so that neither is read or encrypted in four pieces.</summary>
internal sealed class BlockPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 16 * 1024;
    private const int FreeMax = 1024; // 16 MiB are kept for the next load; what was more is collected

    private readonly ConcurrentQueue<Block> _free = new(); // bound: FreeMax
    private int _freeCount;

    public override int MaxBufferSize => BlockBytes;

    /// <summary>All of Kestrel shares one.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (!_free.TryDequeue(out Block? block))
        {
            return new Block(this);
        }

        Interlocked.Decrement(ref _freeCount);
        return block;
    }

    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref _freeCount) > FreeMax)
        {
            Interlocked.Decrement(ref _freeCount);
            return;
        }

        _free.Enqueue(block);
    }

    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        // Pinned: sockets and TLS pin what they are given, and 16 KiB that cannot be moved would break the small objects' heap into pieces.
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

        public void Dispose() => pool.Return(this);
    }
}
