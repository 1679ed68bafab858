using Bft.Bench.Measuring;

namespace Bft.Bench.Faults;

/// <summary>Burns processor time at normal priority: what a fault cost, so that the run it is compared with has no more processor than the faulty one.</summary>
public static class CpuBurner
{
    private const long Pause = 1_000_000; // ns

    /// <summary>Burns until cancelled.</summary>
    /// <param name="share">Processor seconds per second; above 1, on several threads.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static Task RunAsync(double share, CancellationToken cancellationToken)
    {
        int threads = Math.Max(1, (int)Math.Ceiling(share));
        return Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(
            () => Burn(share / threads, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
    }

    private static void Burn(double share, CancellationToken cancellationToken)
    {
        long begin = Monotonic.Now;
        long used = Monotonic.ThreadCpu;
        while (!cancellationToken.IsCancellationRequested)
        {
            // By the thread's own clock: on a full machine it asks for more time until it had what the fault had.
            if (Monotonic.ThreadCpu - used < (Monotonic.Now - begin) * share)
            {
                Thread.SpinWait(1000);
            }
            else
            {
                Monotonic.SleepUntil(Monotonic.Now + Pause);
            }
        }
    }
}
