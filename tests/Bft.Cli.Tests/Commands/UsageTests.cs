using Bft.Cli.Tests.Support;
using Bft.Node;
using Bft.Style.Tests;

namespace Bft.Cli.Tests.Commands;

public sealed class UsageTests
{
    [Theory]
    [InlineData("bogus", "bogus")]
    [InlineData("publish", "TOPIC")]
    [InlineData("publish news --bogus", "--bogus")]
    [InlineData("publish news --timeout 5x", "'5x' is no time")]
    [InlineData("subscribe news --from somewhere", "somewhere")]
    [InlineData("init --witnesses many", "many")]
    [InlineData("init --witnesses 3", "from 4 to 64")]
    [InlineData("init --port 65534", "65537")]
    [InlineData("init --host no:host", "is no host")]
    [InlineData("init --client a/b", "is no name")]
    [InlineData("publish news --message x", "BFT_CLUSTER")]
    [InlineData("publish news --message x --cluster /nonexistent/cluster.yaml", "bft init")]
    [InlineData("publish news --lines /nonexistent --cluster x", "there is no such file")]
    [InlineData("publish news --lines a --message b", "choose one of")]
    [InlineData("subscribe news --raw --json", "choose one of")]
    [InlineData("subscribe news --from cursor", "--cursor NAME")]
    [InlineData("subscribe news --count 0", "at least 1")]
    [InlineData("verify", "FILE")]
    [InlineData("status", "BFT_CLUSTER")]
    [InlineData("demo --input /nonexistent", "there is no such file")]
    [InlineData("bench nonsense", "nonsense")]
    [InlineData("bench --size 7", "'7' is no size")]
    [InlineData("bench --size 2MiB", "'2MiB' is no size")]
    [InlineData("bench --seconds soon", "'soon' is no time")]
    [InlineData("bench --rounds 0", "at least 1")]
    [InlineData("bench --witnesses 3", "from 4 to 64")]
    [InlineData("bench faulty --fault mood", "mood")]
    [InlineData("bench --compare /nowhere/figures.json", "cannot be compared with")]
    [InlineData("bench faulty --peers", "--peers is for throughput and latency")]
    [InlineData("plan --witnesses 65", "from 4 to 64")]
    [InlineData("plan --size 7", "'7' is no size")]
    [InlineData("plan --link moon", "moon")]
    [InlineData("plan --delay soon", "'soon' is no time")]
    [InlineData("plan --rate 0", "above 0")]
    [InlineData("plan --cluster x --witnesses 4", "choose one of")]
    [InlineData("plan --cluster /nonexistent/cluster.yaml", "bft init")]
    [InlineData("plan --costs /nonexistent/costs.json", "no such folder")]
    public async Task What_is_wrong_with_the_command_line_is_said_with_exit_code_1(string arguments, string problem)
    {
        BftResult result = await BftProcess.RunAsync(arguments.Split(' '));

        Assert.Equal((int)ExitCode.Usage, result.ExitCode);
        Assert.Contains(problem, result.Error + result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_parse_error_points_to_the_help_of_its_command()
    {
        BftResult result = await BftProcess.RunAsync("publish");

        Assert.Contains("bft publish --help", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_command_there_is_help()
    {
        BftResult result = await BftProcess.RunAsync();

        Assert.Equal((int)ExitCode.Usage, result.ExitCode);
        Assert.Contains("Examples:", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("init")]
    [InlineData("node")]
    [InlineData("publish")]
    [InlineData("subscribe")]
    [InlineData("verify")]
    [InlineData("status")]
    [InlineData("demo")]
    [InlineData("bench")]
    [InlineData("plan")]
    public async Task Each_command_has_help_with_examples(string command)
    {
        BftResult result = await BftProcess.RunAsync(command, "--help");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains($"bft {command}", result.Output[result.Output.IndexOf("Examples:", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.Contains("--json", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_help_and_the_page_have_the_one_table_of_exit_codes()
    {
        BftResult help = await BftProcess.RunAsync("--help");
        string page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "cli.md"));

        foreach ((ExitCode code, string meaning) in ExitCodes.Table)
        {
            Assert.Contains($"{(int)code,3}  {meaning}", help.Output, StringComparison.Ordinal);
            Assert.Contains($"| {(int)code} | {meaning} |", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_table_has_each_code_once()
    {
        Assert.Equal(Enum.GetValues<ExitCode>().Order(), ExitCodes.Table.Select(row => row.Code));

        // The node's numbers are the command line's, or their names would say something else.
        Assert.All(
            typeof(NodeExitCode).GetFields().Select(field => (int)field.GetRawConstantValue()!),
            code => Assert.True(Enum.IsDefined((ExitCode)code), $"{code} has no row."));
    }
}
