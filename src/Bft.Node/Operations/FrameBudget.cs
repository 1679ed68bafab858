namespace Bft.Node;

/// <summary>Tokens for frames that carry nothing: so many at once, so many a second from then on.</summary>
internal sealed class FrameBudget(EdgeLimits limits)
{
    private double _used;
    private long _at;

    public bool TryTake(bool isKnown, long nowMs)
    {
        int perSecond = isKnown ? limits.FramesPerSecond : limits.StrangerFramesPerSecond;
        _used = Math.Max(0, _used - ((nowMs - _at) * perSecond / 1000.0)) + 1;
        _at = nowMs;
        return _used <= perSecond * EdgeLimits.FrameBurstSeconds;
    }
}
