using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bft.Bench.Measuring;

/// <summary>What TCP has sent, TLS and all, on the connections that some processes hold now; as `ss` (iproute2) says.</summary>
internal static partial class WireBytes
{
    /// <summary>Each connection between two of the processes counts both its directions, once each. Null where there is no `ss`.</summary>
    public static async Task<long?> SentByAsync(IReadOnlySet<int> processes, CancellationToken cancellationToken)
    {
        try
        {
            using Process listing = Process.Start(new ProcessStartInfo("ss", ["-tinpHO"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            _ = listing.StandardError.ReadToEndAsync(cancellationToken);
            string lines = await listing.StandardOutput.ReadToEndAsync(cancellationToken);
            await listing.WaitForExitAsync(cancellationToken);
            return listing.ExitCode == 0 ? SumOf(lines, processes) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    internal static long SumOf(string lines, IReadOnlySet<int> processes) => lines.Split('\n')
        .Where(line => Owner().Match(line) is { Success: true } owner && processes.Contains(Number<int>(owner)))
        .Sum(line => Sent().Match(line) is { Success: true } sent ? Number<long>(sent) : 0);

    private static T Number<T>(Match match)
        where T : IParsable<T> => T.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"[,(]pid=(?<number>\d+),", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Owner();

    [GeneratedRegex(@"\bbytes_sent:(?<number>\d+)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Sent();
}
