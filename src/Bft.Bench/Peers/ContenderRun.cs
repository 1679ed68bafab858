using Bft.Bench.Load;
using Bft.Bench.Measuring;

namespace Bft.Bench.Peers;

/// <summary>What went through a contender with one window.</summary>
/// <param name="PerSecond">Messages acked or delivered, whichever was slower.</param>
/// <param name="ServerCpu">Processor seconds of all servers for a million messages acked.</param>
/// <param name="ClientCpu">Processor seconds of this process for a million messages acked.</param>
internal readonly record struct Rate(double PerSecond, double ServerCpu, double ClientCpu);

/// <summary>The runs that contenders are measured by; the same for each.</summary>
internal static class ContenderRun
{
    private const long PatienceNanoseconds = 60_000_000_000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    /// <summary>Sends with a window, and measures from the end of the warm-up on. Returns when everything is acked and delivered.</summary>
    public static async Task<Rate> RateAsync(IContender contender, int window, TimeSpan warmUp, TimeSpan time, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task sending = contender.SendAsync(window, stop.Token);
        try
        {
            await DelayAsync(contender, warmUp, cancellationToken);
            Moment before = Moment.Of(contender);
            await DelayAsync(contender, time, cancellationToken);
            Moment after = Moment.Of(contender);
            await stop.CancelAsync();
            await await Task.WhenAny(sending, contender.Failed);
            await WhenLevelAsync(contender, cancellationToken);
            return after.Since(before);
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    /// <summary>One message at a time: the next one when the last is acked and delivered.</summary>
    public static async Task<LatencyProbe> AloneAsync(IContender contender, TimeSpan warmUp, TimeSpan time, CancellationToken cancellationToken)
    {
        long sentAt = 0;
        LatencyProbe NewProbe() => new(contender.Sent, long.MaxValue / 2, _ => Volatile.Read(ref sentAt));
        LatencyProbe? probe = null;
        long measureAt = Monotonic.Now + (warmUp.Ticks * TimeSpan.NanosecondsPerTick);
        long end = measureAt + (time.Ticks * TimeSpan.NanosecondsPerTick);
        while (Monotonic.Now is long now && now < end)
        {
            if (probe is null && now >= measureAt)
            {
                probe = NewProbe();
                contender.Probe = probe;
            }

            Volatile.Write(ref sentAt, Monotonic.Now);
            await await Task.WhenAny(contender.SendOneAsync(), contender.Failed);
            await WhenLevelAsync(contender, cancellationToken);
        }

        contender.Probe = null;
        return probe ?? NewProbe();
    }

    /// <summary>Waits until what was sent is acked and delivered.</summary>
    private static async Task WhenLevelAsync(IContender contender, CancellationToken cancellationToken)
    {
        (long Acked, long Delivered) last = default;
        long movedAt = Monotonic.Now;
        while (contender.Acked < contender.Sent || contender.Delivered < contender.Sent)
        {
            await DelayAsync(contender, Look, cancellationToken);
            (long Acked, long Delivered) now = (contender.Acked, contender.Delivered);
            if (now != last)
            {
                (last, movedAt) = (now, Monotonic.Now);
            }
            else if (Monotonic.Now - movedAt > PatienceNanoseconds)
            {
                throw new PeerFailedException($"Of {contender.Sent} messages {now.Acked} were acked and {now.Delivered} delivered, then nothing moved for {PatienceNanoseconds / 1_000_000_000} s.");
            }
        }
    }

    private static async Task DelayAsync(IContender contender, TimeSpan time, CancellationToken cancellationToken) =>
        await await Task.WhenAny(Task.Delay(time, cancellationToken), contender.Failed);

    private readonly record struct Moment(long Time, long Acked, long Delivered, double ServerCpu, double ClientCpu)
    {
        public static Moment Of(IContender contender) => new(
            Monotonic.Now,
            contender.Acked,
            contender.Delivered,
            ProcessUsage.CpuSecondsOf(contender.Servers),
            ProcessUsage.CpuSecondsOf(Environment.ProcessId));

        public Rate Since(Moment before)
        {
            double millions = (Acked - before.Acked) / 1e6;
            return new Rate(
                Math.Min(Acked - before.Acked, Delivered - before.Delivered) / ((Time - before.Time) / 1e9),
                (ServerCpu - before.ServerCpu) / millions,
                (ClientCpu - before.ClientCpu) / millions);
        }
    }
}
