using Bft.Bench.Measuring;

namespace Bft.Bench.Floors;

/// <summary>What a floor reached.</summary>
/// <param name="PerSecond">Messages.</param>
/// <param name="CpuSecondsPerMillion">Processor time of all its processes for a million messages: holds where rates do not, on a machine that does other things beside.</param>
internal readonly record struct FloorRate(double PerSecond, double CpuSecondsPerMillion)
{
    public static FloorRate Of(double messages, double seconds, double cpuSeconds) => new(messages / seconds, cpuSeconds / messages * 1e6);

    /// <summary>Used so far by these processes and this one.</summary>
    public static double CpuSecondsOf(params IEnumerable<int> processes) => ProcessUsage.CpuSecondsOf(processes.Append(Environment.ProcessId));
}
