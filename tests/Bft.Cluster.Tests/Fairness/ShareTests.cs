using Bft.Cluster.Tests.Support;
using Bft.Protocol.Model;

namespace Bft.Cluster.Tests.Fairness;

/// <summary>Publishers share witnesses by their weights. A rate for all makes the witnesses what is short, on any machine.</summary>
public sealed class ShareTests
{
    private const int BatchBytes = 64 * 1024;

    [Fact]
    public async Task Weights_of_1_2_and_4_are_met()
    {
        string[] clients = ["w1", "w2", "w4"];
        await using ProcessCluster cluster = await Shares.StartedAsync(clients, rate: 1_500_000, clients.ToDictionary(client => client, client => client[1..]));
        await using GreedyProcess greedy = new(cluster, ProcessCluster.NewTopic(), BatchBytes, inFlight: 40, nice: 0, clients);

        double[] rates = await greedy.RatesAsync(TimeSpan.FromSeconds(8));

        double total = rates.Sum();
        Assert.InRange(rates[0] / total, 0.85 / 7, 1.15 / 7);
        Assert.InRange(rates[1] / total, 2 * 0.85 / 7, 2 * 1.15 / 7);
        Assert.InRange(rates[2] / total, 4 * 0.85 / 7, 4 * 1.15 / 7);
    }

    [Fact]
    public async Task A_modest_publisher_does_not_wait_behind_nine_greedy_ones()
    {
        string[] clients = [.. Enumerable.Range(0, 9).Select(i => $"g{i}")];
        await using ProcessCluster cluster = await Shares.StartedAsync([.. clients, "modest"], rate: 2_000_000);
        Topic topic = ProcessCluster.NewTopic();
        await using GreedyProcess greedy = new(cluster, topic, BatchBytes, inFlight: 40, nice: 0, clients);
        await greedy.RatesAsync(TimeSpan.FromSeconds(2)); // by now 23 MB wait, which take twelve seconds

        Latencies modest = await ModestPublisher.RunAsync(cluster, "modest", topic, perSecond: 20, TimeSpan.FromSeconds(5));

        Assert.True(modest.Median < 4000, $"Its messages took {modest.Median:0} ms, 99 % of them {modest.P99:0} ms.");
        Assert.InRange(modest.Met, 0.5, 1.1);
    }
}
