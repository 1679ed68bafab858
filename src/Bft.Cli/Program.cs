using System.CommandLine;
using System.CommandLine.Invocation;
using Bft.Cli.Commands;

namespace Bft.Cli;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        using Interruption interruption = new();
        ParseResult parse = BftCommand.Create(interruption).Parse(args);

        if (parse.Action is ParseErrorAction parseError)
        {
            // One slip is no reason for a screen of help.
            parseError.ShowHelp = false;
        }

        // Signals are ours (Interruption) and so are exceptions (Session), both with exit codes of their own.
        InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        return await parse.InvokeAsync(invocation, interruption.Token);
    }
}
