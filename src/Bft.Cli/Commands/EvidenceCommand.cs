using System.CommandLine;
using Bft.Cli.Clusters;
using Bft.Cli.Proofs;
using Bft.Client;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Cli.Commands;

/// <summary>`bft evidence`: who is proven faulty, as the witnesses know it.</summary>
internal static class EvidenceCommand
{
    private static readonly Option<string?> Export = new("--export")
    {
        HelpName = "DIR",
        Description = "Write each piece to a file there, for 'bft verify' and for others.",
    };

    public static Command Create(Interruption interruption)
    {
        Command command = new("evidence", "List who is proven faulty, from the evidence that the witnesses hold.") { Options.Cluster, Options.Identity, Connection.AnswerTime, Export };
        HelpWithExamples.Add(command, """
            Examples:
              bft evidence --cluster cluster/cluster.yaml
              bft evidence --export proofs && bft verify proofs/witness-2-….evidence
              bft evidence --json

            Each piece is verified here before it is listed: a lying witness can hide evidence, not invent it.

            Exit codes: 0 when a quorum answers and holds none, 13 when there is some, 12 when fewer answer and hold
            none, 2 when nobody answers.
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        await using Connection connection = Connection.OpenToAsk(session);
        WitnessEvidence[] answers = await connection.Client.GetEvidenceAsync(session.Interrupted);
        EvidenceFolder? folder = session.Get(Export) is { } path ? new EvidenceFolder(path) : null;
        int pieces = 0;
        foreach (IGrouping<(Bft.Crypto.PublicKey, Slot), (VerifiedEvidence Piece, int Witness)> held in answers
            .SelectMany(answer => answer.Evidence.Select(piece => (Piece: piece, Witness: answer.Witness.Value)))
            .GroupBy(one => (one.Piece.Offender, one.Piece.Slot)))
        {
            pieces++;
            EvidenceReport.Of(held.First().Piece, connection.Cluster).Show(session, "evidence", [.. held.Select(one => one.Witness)], folder?.Save(held.First().Piece));
        }

        foreach (WitnessEvidence answer in answers.Where(answer => answer.Problem is not null))
        {
            session.Note($"Witness {answer.Witness.Value}: {WitnessWatch.Sentence(answer.Problem!)}");
            if (session.IsJson)
            {
                session.Json.Write("witness", fields =>
                {
                    fields.WriteNumber("witness", answer.Witness.Value);
                    fields.WriteString("problem", answer.Problem);
                });
            }
        }

        int answering = answers.Count(answer => answer.Problem is null);
        int quorum = connection.Cluster.Committee.Size.Quorum;
        session.Say($"{pieces} proven fault{(pieces == 1 ? "" : "s")}; {answering} of {answers.Length} witnesses answered in full.");
        if (session.IsJson)
        {
            session.Json.Write("cluster", fields =>
            {
                fields.WriteNumber("faults", pieces);
                fields.WriteNumber("witnesses", answers.Length);
                fields.WriteNumber("answering", answering);
                fields.WriteNumber("quorum", quorum);
            });
        }

        return pieces > 0 ? ExitCode.Evidence
            : answering == 0 ? ExitCode.Unreachable
            : answering < quorum ? ExitCode.UnderQuorum
            : ExitCode.Ok;
    }
}
