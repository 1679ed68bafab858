namespace Bft.Protocol.Model;

/// <summary>When to try again: each try waits twice as long as the one before, up to a limit. Unit: ticks of the host.</summary>
internal struct BackOff(int firstTicks, int maxTicks)
{
    private long _at;
    private int _delay;

    public readonly bool IsDue(long now) => now >= _at;

    /// <summary>There was progress: wait the first delay from now on.</summary>
    public void Reset(long now) => Reset(now, firstTicks);

    /// <summary>The same with another first delay.</summary>
    public void Reset(long now, int ticks)
    {
        _delay = ticks;
        _at = now + _delay;
    }

    /// <summary>Tried: wait, and longer the next time.</summary>
    public void Postpone(long now)
    {
        _delay = _delay == 0 ? firstTicks : Math.Min(_delay, maxTicks / 2) * 2;
        _at = now + _delay;
    }
}
