using System.Globalization;
using System.Text.RegularExpressions;

namespace Bft.Sim;

/// <summary>How long a partition lasts, as the log says: "cut off for 1.5 s".</summary>
internal static partial class Partition
{
    private const long Second = 1_000_000_000;

    /// <summary>Unit: nanoseconds; one second when the text does not say.</summary>
    public static long LengthOf(string text) =>
        Length().Match(text) is { Success: true } length ? (long)(double.Parse(length.Groups["number"].Value, CultureInfo.InvariantCulture) * (length.Groups["unit"].Value == "ms" ? Second / 1_000 : Second))
        : text.Contains("ever", StringComparison.Ordinal) ? long.MaxValue / 2
        : Second;

    [GeneratedRegex(@"for (?<number>\d{1,9}(\.\d{1,9})?) (?<unit>ms|s)\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Length();
}
