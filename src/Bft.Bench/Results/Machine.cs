using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Bft.Bench.Results;

/// <summary>Where and when figures were taken. Figures of two machines say nothing of each other.</summary>
/// <param name="Processor">As the kernel names it.</param>
/// <param name="Cores">That this process may use.</param>
/// <param name="MemoryMebibytes">That this process may use.</param>
/// <param name="Runtime">Name and version.</param>
/// <param name="Commit">That this program was built from; empty when that is not known.</param>
/// <param name="Date">As yyyy-mm-dd, in UTC.</param>
public sealed record Machine(string Processor, int Cores, long MemoryMebibytes, string Runtime, string Commit, string Date)
{
    /// <summary>This one, now.</summary>
    public static Machine Here() => new(
        ProcessorName(),
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
        RuntimeInformation.FrameworkDescription,
        typeof(Machine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, { } commit] ? commit : "",
        DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <summary>Whether figures of the two may be compared.</summary>
    public bool IsLike(Machine other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Processor == other.Processor && Cores == other.Cores;
    }

    private static string ProcessorName()
    {
        try
        {
            return File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return RuntimeInformation.ProcessArchitecture.ToString();
        }
    }
}
