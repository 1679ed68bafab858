namespace Bft.Client;

/// <summary>What publishers may hold together of messages that are not certified yet: a process with a thousand of them has no thousand times as much memory. Thread-safe.</summary>
/// <remarks>
/// All that hold something have equal shares, and wait (P4) when theirs is full; one that is alone has all of it, within P4 and <see cref="PublisherOptions.WaitingBatchesMax"/>. A smaller share makes smaller batches, fewer of them in flight,
/// and less kept for a slow witness (<see cref="PublisherOptions.SendQueueBytesMax"/>). Whoever holds less than 16 KiB takes another message all the same, so that nobody waits for others: beyond <see cref="BytesMax"/> that
/// much, and a message, for each publisher is the most.
/// </remarks>
public sealed class PublishMemory
{
    /// <summary>What a publisher may hold whatever others do. Unit: bytes.</summary>
    internal const int LeastBytes = 16 * 1024;

    private const long BytesMin = 1024 * 1024;
    private long _bytes;
    private int _holders;

    /// <param name="bytesMax">See <see cref="BytesMax"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 MiB.</exception>
    public PublishMemory(long bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesMax, BytesMin);
        BytesMax = bytesMax;
    }

    /// <summary>Shared by all publishers of the process whose client names no other. <value>128 MiB.</value></summary>
    public static PublishMemory Shared { get; } = new(128L * 1024 * 1024);

    /// <summary>Bodies that are filled, wait, or are in flight. Unit: bytes. <value>At least 1 MiB.</value></summary>
    public long BytesMax { get; }

    /// <summary>What is held now. Unit: bytes; of each batch that is being filled, up to 4 KiB are not counted yet.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    internal long ShareBytes => Math.Max(LeastBytes, BytesMax / Math.Max(1, Volatile.Read(ref _holders)));

    internal MemoryShare Join() => new(this);

    internal void Add(long bytes, int holders)
    {
        Interlocked.Add(ref _bytes, bytes);
        if (holders != 0)
        {
            Interlocked.Add(ref _holders, holders);
        }
    }
}

/// <summary>One publisher's part of a <see cref="PublishMemory"/>. Thread-safe.</summary>
internal sealed class MemoryShare(PublishMemory memory)
{
    private long _held;

    /// <summary>What it may hold now. Unit: bytes.</summary>
    public long BytesMax => memory.ShareBytes;

    public bool IsFull => Volatile.Read(ref _held) is >= PublishMemory.LeastBytes and var held && (held >= BytesMax || memory.Bytes >= memory.BytesMax);

    public void Take(int bytes)
    {
        if (bytes > 0)
        {
            memory.Add(bytes, Interlocked.Add(ref _held, bytes) == bytes ? 1 : 0);
        }
    }

    public void GiveBack(int bytes)
    {
        if (bytes > 0)
        {
            memory.Add(-bytes, Interlocked.Add(ref _held, -bytes) == 0 ? -1 : 0);
        }
    }
}
