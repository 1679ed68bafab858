namespace Bft.Client;

/// <summary>When to open a subscription again: at once after a good one, else after an exponential back-off with jitter.</summary>
/// <param name="chance">Random: witnesses that come back are not dialled by everybody at once.</param>
internal sealed class RedialTimer(ulong chance)
{
    private const int FirstMs = 50;
    private const int LastMs = 2000;

    /// <summary>A session that lasted this long was a good one. Unit: milliseconds.</summary>
    private const int GoodMs = 5000;

    private ulong _chance = chance;
    private long _at = long.MinValue;
    private int _delay = FirstMs;

    public bool IsDue(long nowMs) => nowMs >= _at;

    /// <summary>The subscription ended, or could not be opened.</summary>
    /// <param name="openedAtMs">Null when it never was open.</param>
    /// <param name="nowMs">Now.</param>
    public void OnEnded(long? openedAtMs, long nowMs)
    {
        if (nowMs - openedAtMs >= GoodMs)
        {
            _delay = FirstMs;
            _at = nowMs;
            return;
        }

        _chance = unchecked((_chance * 6364136223846793005) + 1442695040888963407);
        int jitter = (int)((_chance >> 33) % (ulong)_delay);
        _at = nowMs + (_delay / 2) + jitter;
        _delay = Math.Min(_delay * 2, LastMs);
    }
}
