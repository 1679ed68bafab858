using System.Diagnostics;
using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

public sealed class UnreachableTests
{
    [Fact]
    public async Task Without_a_timeout_a_cluster_that_is_not_there_is_given_up_soon()
    {
        using TestCluster cluster = new();
        long begun = Stopwatch.GetTimestamp();

        BftResult[] results = await Task.WhenAll(cluster.RunAsync("publish", "news", "--message", "x"), cluster.RunAsync("subscribe", "news"));

        Assert.All(results, result => Assert.Equal((int)ExitCode.Unreachable, result.ExitCode));
        Assert.InRange(Stopwatch.GetElapsedTime(begun).TotalSeconds, 9, 40);
    }
}
