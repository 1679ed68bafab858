using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Bft.Cli.Commands;

/// <summary>The usual help, and a few lines below it that can be copied.</summary>
internal sealed class HelpWithExamples(string examples) : SynchronousCommandLineAction
{
    private readonly HelpAction _help = new();

    public override bool ClearsParseErrors => true;

    /// <summary>Gives a command examples; they are the last thing that its --help shows.</summary>
    public static void Add(Command command, string examples)
    {
        HelpOption? option = command.Options.OfType<HelpOption>().FirstOrDefault();
        if (option is null)
        {
            // A subcommand's own, in the place of the root's that it would inherit.
            option = new HelpOption();
            command.Options.Add(option);
        }

        option.Action = new HelpWithExamples(examples);
    }

    public override int Invoke(ParseResult parseResult)
    {
        int code = _help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine(examples);
        output.WriteLine();
        return code;
    }
}
