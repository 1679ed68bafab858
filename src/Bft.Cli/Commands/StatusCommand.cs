using System.CommandLine;
using Bft.Cli.Clusters;
using Bft.Cli.Output;
using Bft.Client;

namespace Bft.Cli.Commands;

/// <summary>`bft status`: what each witness says of itself.</summary>
internal static class StatusCommand
{
    public static Command Create(Interruption interruption)
    {
        Command command = new("status", "Ask every witness how it is: reachable, state, stored tips, durable mark.") { Options.Cluster, Options.Identity, Connection.AnswerTime };
        HelpWithExamples.Add(command, """
            Examples:
              bft status --cluster cluster/cluster.yaml
              bft status --json

            Exit codes: 0 when a quorum answers, 12 when fewer do, 2 when none does. What a witness says of
            itself is a claim: receipts and deliveries are verified, this is not.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        await using Connection connection = Connection.OpenToAsk(session);
        WitnessHealth[] answers = await connection.Client.GetStatusAsync(session.Interrupted);
        StatusView view = new(connection.Cluster, answers);
        if (session.IsJson)
        {
            view.Write(session.Json);
        }
        else if (!session.IsQuiet)
        {
            view.Show(Screen.Out);
        }

        return view.Answering == 0 ? ExitCode.Unreachable : view.Answering < connection.Cluster.Committee.Size.Quorum ? ExitCode.UnderQuorum : ExitCode.Ok;
    }
}
