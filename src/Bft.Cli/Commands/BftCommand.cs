using System.CommandLine;

namespace Bft.Cli.Commands;

/// <summary>The whole command line.</summary>
internal static class BftCommand
{
    public static RootCommand Create(Interruption interruption)
    {
        RootCommand root = new("Certified broadcast: no receiver takes a message that a quorum of witnesses has not signed for.")
        {
            Options.Json,
            Options.Quiet,
            InitCommand.Create(interruption),
            NodeCommand.Create(interruption),
            PublishCommand.Create(interruption),
            SubscribeCommand.Create(interruption),
            VerifyCommand.Create(interruption),
            StatusCommand.Create(interruption),
            EvidenceCommand.Create(interruption),
            DemoCommand.Create(interruption),
            BenchCommand.Create(interruption),
            PlanCommand.Create(interruption),
            BenchCommand.CreateHostile(interruption),
            BenchCommand.CreateDiscard(interruption),
        };
        HelpWithExamples.Add(root, """
            Examples:
              bft demo                                            see it work, on this machine, in half a minute
              bft init --witnesses 4 --out cluster                make keys, certificates and cluster.yaml
              bft node --cluster cluster/cluster.yaml --index 0   run a witness
              bft publish news --cluster cluster/cluster.yaml --lines FILE

            In the source tree, by the launcher:
              ./bft sim --help      whole clusters on one thread, from one seed, with every fault (docs/simulation.md)
              ./bft test            all tests

            Environment:
              BFT_CLUSTER   stands in for --cluster
              BFT_IDENTITY  stands in for --identity

            Exit codes:

            """ + string.Join('\n', ExitCodes.Table.Select(row => $"  {(int)row.Code,3}  {row.Meaning}")));
        return root;
    }
}
