using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Bft.Bench.Measuring;

/// <summary>The clock of all measurements, and a sleep that is as fine as the kernel's. Unit: nanoseconds.</summary>
internal static partial class Monotonic
{
    private const int ClockMonotonic = 1; // clock_gettime(2): what Stopwatch reads, too
    private const int ClockThreadCpu = 3;
    private const int AbsoluteTime = 1; // TIMER_ABSTIME
    private const int SetTimerSlack = 29; // prctl(2): PR_SET_TIMERSLACK

    public static long Now => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    /// <summary>Processor time that this thread has had.</summary>
    public static long ThreadCpu
    {
        get
        {
            _ = Read(ClockThreadCpu, out TimeSpec time);
            return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
        }
    }

    /// <summary>Asks the kernel to wake this thread at the time that it names, not up to 50 µs later.</summary>
    public static void SharpenThread() => _ = Control(SetTimerSlack, 1, 0, 0, 0);

    /// <summary>Blocks this thread. (Thread.Sleep counts whole milliseconds and wakes up to one late, which an open loop would take for latency.)</summary>
    public static void SleepUntil(long time)
    {
        while (Now < time)
        {
            TimeSpec at = new() { Seconds = time / 1_000_000_000, Nanoseconds = time % 1_000_000_000 };
            _ = Sleep(ClockMonotonic, AbsoluteTime, in at, 0); // interrupted: once more
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int Sleep(int clock, int flags, in TimeSpec request, nint remaining);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int Read(int clock, out TimeSpec time);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nuint argument, nuint third, nuint fourth, nuint fifth);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
