namespace Bft.Bench.Load;

/// <summary>When each message of an open loop is due: a fixed rate, in ticks of 1 ms, all of a tick's messages at its beginning.</summary>
/// <param name="Rate">Messages per second; above 0.</param>
internal readonly record struct Schedule(double Rate)
{
    /// <summary>Unit: nanoseconds.</summary>
    public const long TickNanoseconds = 1_000_000;

    private const double TicksPerSecond = 1000;

    /// <summary>The first message that is not yet due when this tick begins: it and all after it come later.</summary>
    /// <param name="tick">From 0.</param>
    public long DueBy(long tick) => (long)Math.Floor((tick + 1) * Rate / TicksPerSecond);

    /// <summary>The tick at which a message is due: the first with <see cref="DueBy"/> above its number.</summary>
    public long TickOf(long message)
    {
        long tick = Math.Max(0, (long)(message * TicksPerSecond / Rate) - 1);
        while (DueBy(tick) <= message)
        {
            tick++;
        }

        return tick;
    }
}
