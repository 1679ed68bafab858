using System.Globalization;
using System.Runtime.InteropServices;

namespace Bft.Bench.Measuring;

/// <summary>What a process has used since it began, from /proc (proc(5)).</summary>
/// <param name="CpuSeconds">User and system, all threads; in steps of 10 ms.</param>
/// <param name="ResidentBytes">Resident memory now (VmRSS).</param>
/// <param name="PeakBytes">Resident memory at its most (VmHWM).</param>
/// <param name="WrittenBytes">What was handed to the disk (write_bytes); 0 where the kernel does not say.</param>
internal readonly partial record struct ProcessUsage(double CpuSeconds, long ResidentBytes, long PeakBytes, long WrittenBytes)
{
    private const int ClockTicks = 2; // sysconf(3): _SC_CLK_TCK
    private static readonly double TicksPerSecond = SystemConfiguration(ClockTicks);

    /// <summary>Of a process that runs; null when it has ended.</summary>
    public static ProcessUsage? Of(int process)
    {
        try
        {
            string folder = FolderOf(process);
            string[] fields = FieldsOf(process);
            double cpu = (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
            return new ProcessUsage(cpu, 1024 * Line($"{folder}/status", "VmRSS:"), 1024 * Line($"{folder}/status", "VmHWM:"), Line($"{folder}/io", "write_bytes:"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Processor seconds of those that run.</summary>
    public static double CpuSecondsOf(params IEnumerable<int> processes) => processes.Sum(process => Of(process)?.CpuSeconds ?? 0);

    /// <summary>/proc/PID/stat from the state (its 3rd field) on: the name before it, in brackets, may hold anything.</summary>
    /// <exception cref="IOException">There is no such process.</exception>
    public static string[] FieldsOf(int process)
    {
        string stat = File.ReadAllText($"{FolderOf(process)}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    private static string FolderOf(int process) => string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");

    private static long Line(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? Number(line[name.Length..].Trim().Split(' ')[0])
            : 0;

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial long SystemConfiguration(int name);
}
