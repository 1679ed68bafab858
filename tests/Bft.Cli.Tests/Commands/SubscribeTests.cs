using System.Text;
using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

[Collection(RunningClusterCollection.Name)]
public sealed class SubscribeTests(RunningCluster running)
{
    private readonly TestCluster _cluster = running.Cluster;

    [Fact]
    public async Task A_closed_output_ends_it_quietly()
    {
        await _cluster.RunAsync(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a line of some length\n", 20_000))), "publish", "head", "--lines", "-");

        BftResult raw = await BftProcess.ShellAsync($"$BFT subscribe head --raw --cluster {_cluster.Yaml} | head -n 1; echo ${{PIPESTATUS[0]}}");
        BftResult json = await BftProcess.ShellAsync($"$BFT subscribe head --json --cluster {_cluster.Yaml} | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}");
        BftResult none = await BftProcess.ShellAsync($"$BFT subscribe head --raw --cluster {_cluster.Yaml} >&-; echo $?");

        Assert.Equal("a line of some length\n0\n", raw.Output);
        Assert.Equal("0\n", json.Output);
        Assert.Equal("0\n", none.Output);
        Assert.Empty(raw.Error + json.Error + none.Error);
    }

    [Fact]
    public async Task A_cursor_goes_on_where_the_last_run_ended()
    {
        await _cluster.RunAsync("1\n2\n3\n4\n5\n"u8.ToArray(), "publish", "cursors", "--lines", "-");
        string output = _cluster["cursor.out"];

        BftResult first = await _cluster.RunAsync("subscribe", "cursors", "--cursor", "ledger", "--count", "2", "--raw", "--output", output);
        BftResult second = await _cluster.RunAsync("subscribe", "cursors", "--from", "cursor", "--cursor", "ledger", "--count", "3", "--raw", "--output", output);

        Assert.True(first.ExitCode == 0, first.ToString());
        Assert.True(second.ExitCode == 0, second.ToString());
        Assert.Equal("1\n2\n3\n4\n5\n", await File.ReadAllTextAsync(output));
    }

    [Fact]
    public async Task Latest_shows_only_what_comes()
    {
        await _cluster.RunAsync("publish", "latest", "--message", "old");
        using BftProcess reader = BftProcess.Start("subscribe", "latest", "--from", "latest", "--count", "1", "--raw", "--cluster", _cluster.Yaml, "--timeout", "40s");
        int number = 0;

        // When the subscription stands is not shown, so new messages come until one is seen.
        Task<BftResult> reading = reader.EndAsync();
        while (!reading.IsCompleted && number < 20)
        {
            await _cluster.RunAsync("publish", "latest", "--message", $"new {++number}");
        }

        BftResult result = await reading;
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.StartsWith("new ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_steer_a_terminal_is_shown_as_a_code()
    {
        await _cluster.RunAsync("publish", "terminal", "--message", "\u001b[31mred\u009b\u0007");

        BftResult result = await _cluster.RunAsync("subscribe", "terminal", "--count", "1");

        Assert.Equal("client 0:0  \\x1b[31mred\\x9b\\x07\n", result.Output);
    }

    [Fact]
    public async Task Nothing_to_read_ends_with_the_time()
    {
        BftResult result = await _cluster.RunAsync("subscribe", "silence", "--timeout", "1500ms");

        Assert.Equal((int)ExitCode.Timeout, result.ExitCode);
        Assert.Contains("no message came for 1.5 s", result.Error, StringComparison.Ordinal);
    }
}
