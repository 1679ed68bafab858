using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

public sealed class StatusTests
{
    [Fact]
    public async Task Every_witness_is_shown_and_the_code_says_whether_a_quorum_answers()
    {
        using TestCluster cluster = new();
        BftResult nobody = await cluster.RunAsync("status", "--timeout", "1s");
        BftResult unreached = await cluster.RunAsync("publish", "news", "--message", "x", "--timeout", "1s");
        BftResult unread = await cluster.RunAsync("subscribe", "news", "--timeout", "1s");

        await cluster.StartAsync(0, 1);
        BftResult two = await cluster.RunAsync("status", "--json");
        BftResult underQuorum = await cluster.RunAsync("publish", "news", "--message", "x", "--timeout", "2s");

        await cluster.StartAsync(2);
        BftResult published = await cluster.RunAsync("publish", "news", "--message", "y");
        BftResult three = await cluster.RunAsync("status");

        Assert.Equal((int)ExitCode.Unreachable, nobody.ExitCode);
        Assert.Equal(4, nobody.Output.Split("no answer").Length - 1);
        Assert.Equal((int)ExitCode.Unreachable, unreached.ExitCode);
        Assert.Contains("bft node", unreached.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.Unreachable, unread.ExitCode);
        Assert.Equal((int)ExitCode.UnderQuorum, two.ExitCode);
        Assert.Equal([true, true, false, false], two.Events.Where(one => one.GetProperty("event").GetString() == "witness").Select(one => one.GetProperty("reachable").GetBoolean()));
        Assert.Equal("recovering", two.Events[0].GetProperty("state").GetString()); // W9: one peer is too few to ask
        Assert.Equal(2, two.Events[^1].GetProperty("answering").GetInt32());
        Assert.Equal((int)ExitCode.UnderQuorum, underQuorum.ExitCode);
        Assert.Contains("a quorum is 3", underQuorum.Error, StringComparison.Ordinal);
        Assert.True(published.ExitCode == 0, published.ToString());
        Assert.Equal(0, three.ExitCode);
        Assert.Contains("3 of 4 witnesses answer", three.Output, StringComparison.Ordinal);
        Assert.Contains("serving", three.Output, StringComparison.Ordinal);
        Assert.Contains("news", three.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', three.Output);
    }
}
