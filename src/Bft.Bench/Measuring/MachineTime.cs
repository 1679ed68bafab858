using System.Globalization;

namespace Bft.Bench.Measuring;

/// <summary>What all processors of this machine did since it was started, from /proc/stat (proc(5)).</summary>
internal static class MachineTime
{
    private const int Idle = 4; // fields of the first line: cpu user nice system idle iowait
    private const int WaitingForDisk = 5;
    private const double TicksPerSecond = 100; // USER_HZ, whatever the kernel ticks by

    /// <summary>Seconds in which a processor had nothing to do, over all processors.</summary>
    public static double IdleSeconds
    {
        get
        {
            string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return (double.Parse(fields[Idle], CultureInfo.InvariantCulture) + double.Parse(fields[WaitingForDisk], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }
}
