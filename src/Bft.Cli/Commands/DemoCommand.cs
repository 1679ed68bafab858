using System.CommandLine;
using Bft.Cli.Demo;

namespace Bft.Cli.Commands;

/// <summary>`bft demo`: the whole thing on this machine, with real processes and real lies.</summary>
internal static class DemoCommand
{
    private static readonly Option<string?> Input = new("--input")
    {
        HelpName = "FILE",
        Description = "The lines to publish. Default: a log that ships with Bft (12,000 quotes).",
    };

    private static readonly Option<bool> Keep = new("--keep") { Description = "Leave the cluster's folder, with keys, journals and evidence, behind." };

    public static Command Create(Interruption interruption)
    {
        Command command = new("demo", "See it work on this machine: four witnesses, two receivers, a crash, a forgery and a liar.") { Input, Keep };
        HelpWithExamples.Add(command, """
            Examples:
              bft demo
              bft demo --input /var/log/syslog --keep

            Four witnesses run as processes of their own, on free ports of 127.0.0.1, in a temporary
            folder. Nothing is left behind, unless --keep.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        string input = session.Get(Input) ?? Path.Combine(AppContext.BaseDirectory, "samples", "rates.log");
        if (!File.Exists(input))
        {
            throw new CommandException(ExitCode.Usage, $"{input}: there is no such file. Name another with --input FILE.");
        }

        if (new FileInfo(input).Length == 0)
        {
            throw new CommandException(ExitCode.Usage, $"{input} is empty. Name a file with lines with --input FILE.");
        }

        await using DemoCluster cluster = new(session.Get(Keep));
        await new DemoScript(session, cluster, input, session.Get(Keep)).RunAsync();
        return ExitCode.Ok;
    }
}
