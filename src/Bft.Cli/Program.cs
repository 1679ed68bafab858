using System.CommandLine;
using System.CommandLine.Invocation;
using Bft.Cli.Commands;
using Bft.Cli.Output;

namespace Bft.Cli;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        StandardDescriptors.SilenceThoseClosed();
        using Interruption interruption = new();
        ParseResult parse = BftCommand.Create(interruption).Parse(args.Length == 0 ? ["--help"] : args);

        if (parse.Action is ParseErrorAction parseError)
        {
            // One slip is no reason for a screen of help.
            parseError.ShowHelp = false;
        }

        // Signals are ours (Interruption) and so are exceptions (Session), both with exit codes of their own.
        InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        int code = await parse.InvokeAsync(invocation, interruption.Token);
        if (parse.Errors.Count > 0)
        {
            string command = parse.CommandResult.Command is RootCommand ? "" : $" {parse.CommandResult.Command.Name}";
            await Console.Error.WriteLineAsync($"Try: bft{command} --help");
        }

        return args.Length == 0 ? (int)ExitCode.Usage : code;
    }
}
