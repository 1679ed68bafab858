using System.Globalization;

namespace Bft.Cluster.Tests.Support;

/// <summary>A measurement of some minutes: runs when BFT_MEASURE names the file that its figures go to. BFT_MEASURE_NICE is the niceness of those who make the load, BFT_MEASURE_ROUNDS how often each is measured (5).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MeasurementFactAttribute : FactAttribute
{
    public MeasurementFactAttribute() => Skip = ReportFile is null ? "BFT_MEASURE names no file for its figures." : null;

    public static string? ReportFile { get; } = Environment.GetEnvironmentVariable("BFT_MEASURE");

    public static int Nice { get; } = Number("BFT_MEASURE_NICE", 0);

    public static int Rounds { get; } = Number("BFT_MEASURE_ROUNDS", 5);

    /// <summary>Adds a line to the figures.</summary>
    public static void Report(FormattableString line) => File.AppendAllText(ReportFile!, line.ToString(CultureInfo.InvariantCulture) + "\n");

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static int Number(string variable, int byDefault) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : byDefault;
}
