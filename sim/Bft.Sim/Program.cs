using System.CommandLine;
using System.CommandLine.Invocation;

namespace Bft.Sim;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        using Interruption interruption = new();
        ParseResult parse = SimCommand.Create(interruption, PlantedBugs.Perform).Parse(args.Length == 0 ? ["--help"] : args);
        if (parse.Action is ParseErrorAction parseError)
        {
            // One slip is no reason for a screen of help.
            parseError.ShowHelp = false;
        }

        // Help names the launcher's command, not the file that it starts. Signals are ours, and so are exceptions.
        using StringWriter output = new();
        InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false, Output = output };
        int code = await parse.InvokeAsync(invocation, interruption.Token);
        await (parse.Errors.Count > 0 ? Console.Error : Console.Out).WriteAsync(output.ToString().Replace("Bft.Sim [", "bft sim [", StringComparison.Ordinal));
        if (parse.Errors.Count > 0)
        {
            await Console.Error.WriteLineAsync("Try: bft sim --help");
        }

        return args.Length == 0 ? (int)ExitCode.Usage : code;
    }
}
