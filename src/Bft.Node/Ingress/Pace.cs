namespace Bft.Node;

/// <summary>A rate that may not be exceeded for long: what was taken is paid for with time (GCRA, ITU-T I.371).</summary>
/// <remarks>Taking always succeeds; whoever took waits until it is paid. So a rate is kept by waiting, and nothing is refused.</remarks>
internal struct Pace
{
    /// <summary>What may be taken at once after a pause: so much time's worth. Unit: microseconds.</summary>
    public const long BurstMicroseconds = 100_000;

    private const long DebtMicroseconds = 3600L * 1_000_000; // nobody waits longer

    private long _paidAt;

    /// <param name="nowMicroseconds">A clock that only rises.</param>
    /// <returns>How long until all that was taken is paid; 0 when it is. Unit: microseconds.</returns>
    public readonly long Wait(long nowMicroseconds) => Math.Max(0, _paidAt - nowMicroseconds);

    /// <param name="amount">At least 0.</param>
    /// <param name="perSecond">The rate; at least 1. Null for none.</param>
    /// <param name="nowMicroseconds">A clock that only rises.</param>
    public void Take(long amount, long? perSecond, long nowMicroseconds) =>
        _paidAt = perSecond is { } rate
            ? Math.Min(Math.Max(_paidAt, nowMicroseconds - BurstMicroseconds) + (amount * 1_000_000 / rate), nowMicroseconds + DebtMicroseconds)
            : nowMicroseconds;
}
