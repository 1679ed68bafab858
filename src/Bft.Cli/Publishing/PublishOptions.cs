using System.CommandLine;

namespace Bft.Cli.Publishing;

/// <summary>The options of `bft publish`.</summary>
internal static class PublishOptions
{
    public static Argument<string> Topic { get; } = new("TOPIC") { Description = "Where to publish." };

    public static Option<string?> Lines { get; } = new("--lines", "-l")
    {
        HelpName = "FILE|-",
        Description = "Each line is a message, with its line feed; - is standard input.",
    };

    public static Option<string?> Message { get; } = new("--message", "-m") { HelpName = "TEXT", Description = "One message: this text." };

    public static Option<string?> OneFile { get; } = new("--file", "-f") { HelpName = "FILE", Description = "One message: this file. Without any of the three: standard input is one message." };

    public static Option<string?> Receipt { get; } = new("--receipt", "-r")
    {
        HelpName = "FILE",
        Description = "Write receipts that prove every message of this run offline (`bft verify`); about as large as the messages.",
    };

    public static Option<TimeSpan?> Timeout { get; } = Options.Timeout("Give up when nothing could be certified for this long. Default: 60s, or 10s while no witness was reached at all.");
}
