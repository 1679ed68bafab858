namespace Bft.Protocol.Witnessing;

/// <summary>Body bytes of held batches over all streams (W4); bounded by <see cref="NodeLimits.HeldBytesMax"/>.</summary>
internal sealed class HeldBytes(long max)
{
    public long Value { get; private set; }

    public bool HasRoomFor(int bytes) => Value + bytes <= max;

    public void Add(int bytes) => Value += bytes;

    public void Remove(int bytes) => Value -= bytes;
}
