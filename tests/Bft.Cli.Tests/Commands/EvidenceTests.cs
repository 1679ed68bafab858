using System.Text.Json;
using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

public sealed class EvidenceTests
{
    [Fact]
    public async Task W10_a_publisher_that_the_demo_caught_is_listed_by_witnesses_started_again_and_the_exported_file_verifies()
    {
        using TemporaryDirectory temporary = new();
        using BftProcess demo = BftProcess.Start(BftProcess.StartInfo(["demo", "--keep", "--json"], ("TMPDIR", temporary.Root)));
        BftResult shown = await demo.EndAsync();
        Assert.True(shown.ExitCode == 0, shown.ToString());
        string yaml = Path.Combine(shown.Events[^1].GetProperty("folder").GetString()!, "cluster.yaml");
        BftProcess[] witnesses = [.. Enumerable.Range(0, 4).Select(index => BftProcess.Start("node", "--cluster", yaml, "--index", $"{index}", "--stop-with-input"))];
        try
        {
            await Task.WhenAll(witnesses.Select(witness => witness.SeenAsync(" ready ")));

            BftResult result = await BftProcess.RunAsync("evidence", "--cluster", yaml, "--identity", "alice", "--timeout", "30s", "--json", "--export", temporary["proofs"]);
            BftResult text = await BftProcess.RunAsync("evidence", "--cluster", yaml, "--identity", "alice", "--timeout", "30s");

            Assert.Equal((int)ExitCode.Evidence, result.ExitCode);
            JsonElement piece = Assert.Single(result.Events, one => one.GetProperty("event").GetString() == "evidence");
            Assert.Equal("publisher", piece.GetProperty("role").GetString());
            Assert.Equal("mallory", piece.GetProperty("name").GetString());
            Assert.NotEqual(0, piece.GetProperty("heldBy").GetArrayLength());
            Assert.Equal(4, result.Events[^1].GetProperty("answering").GetInt32());
            BftResult verified = await BftProcess.RunAsync("verify", piece.GetProperty("file").GetString()!, "--cluster", yaml);
            Assert.True(verified.ExitCode == 0, verified.ToString());
            Assert.Contains("mallory", text.Output, StringComparison.Ordinal);
            Assert.Contains("1 proven fault; 4 of 4", text.Output, StringComparison.Ordinal);
        }
        finally
        {
            Array.ForEach(witnesses, witness => witness.Dispose());
        }
    }

    [Fact]
    public async Task No_evidence_is_zero_and_too_few_answers_are_not()
    {
        using TestCluster cluster = new();
        BftResult nobody = await cluster.RunAsync("evidence", "--timeout", "1s");
        await cluster.StartAsync(0, 1);
        BftResult two = await cluster.RunAsync("evidence", "--timeout", "2s");
        await cluster.StartAsync(2);
        BftResult three = await cluster.RunAsync("evidence", "--timeout", "30s");

        Assert.Equal((int)ExitCode.Unreachable, nobody.ExitCode);
        Assert.Equal((int)ExitCode.UnderQuorum, two.ExitCode);
        Assert.True(three.ExitCode == 0, three.ToString());
        Assert.Contains("0 proven faults; 3 of 4", three.Output, StringComparison.Ordinal);
    }
}
