using System.Diagnostics;

namespace Bft.Fuzz;

/// <summary>An input that broke a promise, and which.</summary>
internal sealed record Finding(string Target, string Kind, string Text, byte[] Input);

/// <summary>Gives an input to a target and holds what holds for all of them: no exception, one answer, bounded memory, bounded time.</summary>
internal static class Probe
{
    private const int Repeats = 3;

    public static Finding? Of(Target target, byte[] input, out Outcome outcome, out long allocated)
    {
        outcome = default;
        allocated = 0;
        try
        {
            long begun = Stopwatch.GetTimestamp();
            outcome = target.Run(input, out allocated);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(begun);
            if (target.IsRepeatable && target.Run(input, out _) is var again && again != outcome)
            {
                return new Finding(target.Name, "unstable", $"The same bytes gave {outcome}, then {again}.", input);
            }

            if (allocated > target.AllocatedMax(input.Length) && (allocated = Lowest(() => Allocated(target, input))) > target.AllocatedMax(input.Length))
            {
                return new Finding(target.Name, "allocation", $"{allocated} bytes were allocated for {input.Length}; {target.AllocatedMax(input.Length)} are allowed.", input);
            }

            // Another process may have had the processor: only the thread's own time is held against it.
            if (elapsed > target.TimeMax(input.Length) && Lowest(() => Time(target, input)) is var time && time > target.TimeMax(input.Length).Ticks)
            {
                return new Finding(target.Name, "time", $"{TimeSpan.FromTicks(time).TotalMilliseconds} ms for {input.Length} bytes.", input);
            }

            return null;
        }
#pragma warning disable CA1031 // Whatever is thrown is what we look for.
        catch (Exception error)
        {
            return new Finding(target.Name, error is OracleException ? "oracle" : "exception", error.ToString(), input);
        }
#pragma warning restore CA1031
    }

    /// <summary>What happened once, when code was compiled or a table filled, is no property of the input.</summary>
    private static long Lowest(Func<long> measure) => Enumerable.Range(0, Repeats).Min(_ => measure());

    private static long Allocated(Target target, byte[] input)
    {
        target.Run(input, out long allocated);
        return allocated;
    }

    private static long Time(Target target, byte[] input)
    {
        TimeSpan before = ThreadTime.Now;
        target.Run(input, out _);
        return (ThreadTime.Now - before).Ticks;
    }
}
