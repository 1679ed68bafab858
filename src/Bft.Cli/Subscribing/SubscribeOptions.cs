using System.CommandLine;

namespace Bft.Cli.Subscribing;

/// <summary>The options of `bft subscribe`.</summary>
internal static class SubscribeOptions
{
    public const string Earliest = "earliest";
    public const string Latest = "latest";
    public const string AtCursor = "cursor";

    public static Argument<string> Topic { get; } = new("TOPIC") { Description = "What to read." };

    public static Option<string> From { get; } = FromOption();

    public static Option<string?> Cursor { get; } = new("--cursor")
    {
        HelpName = "NAME",
        Description = "Remember under this name, beside the identity, what was written; the next run with it goes on there, whatever --from says.",
    };

    public static Option<long?> Count { get; } = new("--count", "-n") { HelpName = "N", Description = "End after this many messages. Default: follow for ever." };

    public static Option<bool> Raw { get; } = new("--raw") { Description = "Write the messages' bytes and nothing else." };

    public static Option<string?> Output { get; } = new("--output", "-o")
    {
        HelpName = "FILE",
        Description = "Write there instead of to standard output; with --cursor, behind what the file holds.",
    };

    public static Option<TimeSpan?> Timeout { get; } = Options.Timeout("Give up when no message came for this long. Default: never, but 10s while no witness was reached at all.");

    private static Option<string> FromOption()
    {
        Option<string> from = new("--from")
        {
            HelpName = $"{Earliest}|{Latest}|{AtCursor}",
            Description = "Where to begin: with the oldest message that is kept, with what comes from now on, or where --cursor stands.",
            DefaultValueFactory = _ => Earliest,
        };
        from.AcceptOnlyFromAmong(Earliest, Latest, AtCursor);
        return from;
    }
}
