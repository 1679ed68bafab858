namespace Bft.Protocol.Model;

/// <summary>Time that passed while the process ran, by a clock that may jump. For ages: 30 s in W11, retention in S2.</summary>
/// <remarks>A jump back counts for nothing and a jump ahead for at most <see cref="StepMax"/>: a clock that is set wrong for a moment makes nothing old.</remarks>
public sealed class SteadyClock(long elapsed = 0)
{
    /// <summary>Most that one tick counts for. Unit: milliseconds.</summary>
    public const long StepMax = 10_000;

    private long? _last;

    /// <value>What has passed. Unit: milliseconds; only rises.</value>
    public long Elapsed { get; private set; } = elapsed;

    /// <param name="now">The host's clock. Unit: milliseconds since 1970.</param>
    public void OnTick(long now)
    {
        Elapsed += _last is { } last && now > last ? Math.Min(now - last, StepMax) : 0;
        _last = now;
    }
}
