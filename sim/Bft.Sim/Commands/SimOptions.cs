using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Bft.Sim;

/// <summary>Seeds from one to another, both included.</summary>
internal readonly record struct SeedRange(ulong First, ulong Last);

/// <summary>All options of `bft sim`.</summary>
internal static class SimOptions
{
    public static readonly Option<ulong?> Seed = new("--seed") { HelpName = "N", Description = "One run." };

    public static readonly Option<SeedRange?> Seeds = new("--seeds")
    {
        HelpName = "A..B",
        Description = "Many runs, on all cores. Default: 1..100.",
        CustomParser = ParseRange,
    };

    public static readonly Option<TimeSpan?> Time = new("--time")
    {
        HelpName = "TIME",
        Description = "Runs seeds from 1 on (or those of --seeds) until the time is over: 90s, 10m, 1h.",
        CustomParser = ParseTime,
    };

    public static readonly Option<string?> Profile = new("--profile") { HelpName = "NAME", Description = $"How a seed becomes a cluster with its faults. Default: {Profiles.Default}." };

    public static readonly Option<string?> Scenario = new("--scenario") { HelpName = "NAME", Description = "A run with a plot (--list), or 'all'. Default seeds: 1..20 of each." };

    public static readonly Option<string?> Plan = new("--plan") { HelpName = "FILE.yaml", Description = "Your own cluster, load and fault weights, instead of a profile." };

    public static readonly Option<string?> Replay = new("--replay") { HelpName = "FILE.json", Description = "The smallest run of a failure that was kept." };

    public static readonly Option<bool> List = new("--list") { Description = "The scenarios." };

    public static readonly Option<bool> PrintPlan = new("--print-plan") { Description = "Print the plan of the seed and profile as a file for --plan; run nothing." };

    public static readonly Option<bool> Log = new("--log") { Description = "One line per event. With --seed or --replay." };

    public static readonly Option<string?> Html = new("--html") { HelpName = "FILE", Description = "The run as a picture: a lane per party, messages as arrows. With --seed or --replay." };

    public static readonly Option<bool> Json = new("--json") { Description = "One JSON object instead of text." };

    public static readonly Option<string> Keep = new("--keep") { HelpName = "DIR", Description = "Where failures are kept.", DefaultValueFactory = _ => "bft-sim-failures" };

    public static readonly Option<bool> NoShrink = new("--no-shrink") { Description = "Keep failures as they are." };

    public static readonly Option<TimeSpan?> ShrinkTime = new("--shrink-time")
    {
        HelpName = "TIME",
        Description = "How long one failure is shrunk at most. Default: 20s.",
        CustomParser = ParseTime,
    };

    public static readonly Option<int> Failures = new("--failures")
    {
        HelpName = "N",
        Description = "Begin no more runs after so many failures.",
        DefaultValueFactory = _ => 10,
    };

    public static readonly Option<int?> Threads = new("--threads") { HelpName = "N", Description = "Default: all cores. What is reported does not depend on it." };

    public static readonly Option<bool> CheckDeterminism = new("--check-determinism") { Description = "Run --seed in two fresh processes and compare them line by line." };

    public static readonly Option<string?> Plant = new("--plant") { HelpName = "NAME", Description = "Switch a planted bug on." };

    public static readonly Option<bool> ListPlants = new("--list-plants") { Description = "The bugs that can be planted." };

    public static readonly Option<bool> Prove = new("--prove") { Description = "Plant each bug and find it." };

    public static readonly Option<bool> Full = new("--full") { Description = "With --prove: the median of five searches." };

    public static readonly Option<string?> Record = new("--record") { HelpName = "FILE", Description = "With --prove: write the runs that found the bugs (sim/Bft.Sim/Proving/recorded.txt)." };

    private static SeedRange? ParseRange(ArgumentResult result)
    {
        string[] ends = result.Tokens[0].Value.Split("..");
        if (ends.Length == 2
            && ulong.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong first)
            && ulong.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong last)
            && first <= last)
        {
            return new SeedRange(first, last);
        }

        result.AddError($"'{result.Tokens[0].Value}' is no range of seeds: write FIRST..LAST, for instance 1..1000.");
        return null;
    }

    private static TimeSpan? ParseTime(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        (int suffix, double seconds) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (2, 0.001),
            _ when text.EndsWith('s') => (1, 1),
            _ when text.EndsWith('m') => (1, 60),
            _ when text.EndsWith('h') => (1, 3_600.0),
            _ => (0, 1),
        };
        if (double.TryParse(text.AsSpan(0, text.Length - suffix), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number * seconds is > 0 and < 1e7)
        {
            return TimeSpan.FromSeconds(number * seconds);
        }

        result.AddError($"'{text}' is no time: write seconds, or a number with ms, s, m or h (for instance 10m).");
        return null;
    }
}
