using Spectre.Console;

namespace Bft.Cli.Output;

/// <summary>Standard output for tables and colours: plain where it is no terminal.</summary>
internal static class Screen
{
    /// <summary>No terminal, no edge: wide enough that nothing wraps.</summary>
    private const int FileWidth = 160;

    /// <summary>What to write in a command that is to be copied: the launcher where it is in this directory.</summary>
    public static string Program => File.Exists("bft") ? "./bft" : "bft";

    public static IAnsiConsole Out { get; } = Create();

    private static IAnsiConsole Create()
    {
        bool isTerminal = !Console.IsOutputRedirected;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Out),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        console.Profile.Width = isTerminal ? console.Profile.Width : FileWidth;
        return console;
    }
}
