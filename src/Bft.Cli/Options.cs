using System.CommandLine;
using System.Globalization;

namespace Bft.Cli;

/// <summary>Options that several commands share.</summary>
internal static class Options
{
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print one JSON object per line instead of text.",
        Recursive = true,
    };

    public static Option<bool> Quiet { get; } = new("--quiet", "-q")
    {
        Description = "Print errors and what was asked for, nothing else.",
        Recursive = true,
    };

    public static Option<string?> Cluster { get; } = new("--cluster", "-c")
    {
        HelpName = "FILE",
        Description = "The cluster's cluster.yaml, or its directory. Default: BFT_CLUSTER.",
    };

    public static Option<string?> Identity { get; } = new("--identity", "-i")
    {
        HelpName = "FILE|NAME",
        Description = "Who you are: an identity.key, or a name under clients/ beside cluster.yaml. Default: BFT_IDENTITY, else the only one there.",
    };

    /// <summary>How long to wait; null: for ever.</summary>
    public static Option<TimeSpan?> Timeout(string description) => new("--timeout", "-t")
    {
        HelpName = "TIME",
        Description = description,
        CustomParser = result =>
        {
            if (TryParseTime(result.Tokens[0].Value) is { } time)
            {
                return time;
            }

            result.AddError($"'{result.Tokens[0].Value}' is no time: write seconds, or a number with ms, s, m or h (for instance 30s).");
            return null;
        },
    };

    /// <summary>A time above 0.</summary>
    public static Option<TimeSpan?> Time(string name, string description) => new(name)
    {
        HelpName = "TIME",
        Description = description,
        CustomParser = result =>
        {
            TimeSpan? time = TryParseTime(result.Tokens[0].Value);
            Demand(time is not null, $"'{result.Tokens[0].Value}' is no time: write seconds, or a number with ms, s, m or h.", result.AddError);
            return time;
        },
    };

    /// <summary>What an option's value, or a command's options together, have to be.</summary>
    public static void Demand(bool isMet, string sentence, Action<string> addError)
    {
        if (!isMet)
        {
            addError(sentence);
        }
    }

    internal static TimeSpan? TryParseTime(string text)
    {
        (int suffix, double milliseconds) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (2, 1),
            _ when text.EndsWith('s') => (1, 1_000),
            _ when text.EndsWith('m') => (1, 60_000),
            _ when text.EndsWith('h') => (1, 3_600_000),
            _ => (0, 1_000.0),
        };
        return double.TryParse(text.AsSpan(0, text.Length - suffix), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            && number * milliseconds is > 0 and <= int.MaxValue
            ? TimeSpan.FromMilliseconds(number * milliseconds)
            : null;
    }
}
