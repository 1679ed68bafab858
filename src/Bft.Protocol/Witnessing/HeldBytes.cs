namespace Bft.Protocol.Witnessing;

/// <summary>Body bytes of held batches over all streams (W4, C3); bounded by <see cref="NodeLimits.HeldBytesMax"/>.</summary>
/// <remarks>The streams that hold something are listed in the order in which they began to: who is displaced depends on no hash.</remarks>
internal sealed class HeldBytes(long max)
{
    private readonly OrderedDictionary<SlotWindow, long> _byStream = [];

    public long Value { get; private set; }

    /// <summary>The stream that holds most; the first of several.</summary>
    public SlotWindow? Greediest => _byStream.Count == 0 ? null : _byStream.MaxBy(entry => entry.Value).Key;

#if PLANTED
    public bool HasRoomFor(int bytes) => Value + bytes <= max || Crypto.Planted.Is("future-unbounded");
#else
    public bool HasRoomFor(int bytes) => Value + bytes <= max;
#endif

    public void Add(SlotWindow stream, int bytes)
    {
        _byStream[stream] = _byStream.GetValueOrDefault(stream) + bytes;
        Value += bytes;
    }

    public void Remove(SlotWindow stream, int bytes)
    {
        Value -= bytes;
        long left = _byStream[stream] - bytes;
        if (left == 0)
        {
            _byStream.Remove(stream);
        }
        else
        {
            _byStream[stream] = left;
        }
    }
}
