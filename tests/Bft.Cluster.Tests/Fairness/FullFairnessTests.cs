using System.Globalization;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Protocol.Model;
using static Bft.Cluster.Tests.Support.MeasurementFactAttribute;
using Delivery = Bft.Client.Delivery;

namespace Bft.Cluster.Tests.Fairness;

/// <summary>What is promised, at full size and without a rate: minutes, so only where it is asked for. The figures go to the file that the variable names.</summary>
[Trait("Category", "Measurement")]
public sealed class FullFairnessTests
{
    private const int BatchBytes = 64 * 1024;
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20); // of the witnesses: until what is hot is compiled, a fifth of the processor goes there

    [MeasurementFact]
    public async Task One_that_wants_1_percent_beside_99_greedy()
    {
        string[] clients = [.. Enumerable.Range(0, 99).Select(i => $"g{i}")];
        await using ProcessCluster cluster = await Shares.StartedAsync([.. clients, "modest"]);
        Topic topic = ProcessCluster.NewTopic();
        List<double> capacities = [];
        List<Latencies> alone = [], beside = [];
        for (int round = 0; round < Rounds; round++)
        {
            double wanted;
            await using (GreedyProcess greedy = new(cluster, topic, BatchBytes, inFlight: 2, Nice, clients))
            {
                await greedy.RatesAsync(round == 0 ? WarmUp : Phase);
                double capacity = (await greedy.RatesAsync(Phase)).Sum();
                capacities.Add(capacity);
                wanted = capacity / 100;
                beside.Add(await ModestPublisher.RunAsync(cluster, "modest", topic, wanted, Phase));
            }

            alone.Add(await ModestPublisher.RunAsync(cluster, "modest", topic, wanted, Phase));
            (Latencies with, Latencies without) = (beside[^1], alone[^1]);
            Report($"99 greedy: {capacities[^1] * GreedyProcess.MessageBytes / 1e6:0.0} MB/s; modest at {wanted:0} messages/s: met {with.Met:P1}, median {with.Median:0.0} ms, p99 {with.P99:0.0} ms; alone median {without.Median:0.0} ms, p99 {without.P99:0.0} ms");
        }

        double slower = Median(beside.Zip(alone, (with, without) => with.P99 / without.P99));
        Report($"median of {Rounds}: met {Median(beside.Select(run => run.Met)):P1}, p99 {slower:0.00} times of alone");
        Assert.InRange(Median(beside.Select(run => run.Met)), 0.95, 1.1);
        Assert.InRange(slower, 0, 3);
    }

    [MeasurementFact]
    public async Task Weights_1_2_4()
    {
        string[] clients = ["w1", "w2", "w4"];
        await using ProcessCluster cluster = await Shares.StartedAsync(clients, weights: clients.ToDictionary(client => client, client => client[1..]));
        List<double> errors = [];
        for (int round = 0; round < Rounds; round++)
        {
            await using GreedyProcess greedy = new(cluster, ProcessCluster.NewTopic(), BatchBytes, inFlight: 64, Nice, clients);
            await greedy.RatesAsync(round == 0 ? WarmUp : Phase);
            double[] rates = await greedy.RatesAsync(Phase);
            double[] shares = [.. rates.Select((rate, i) => rate / rates.Sum() * 7 / (1 << i))];
            errors.Add(shares.Max(share => Math.Abs(share - 1)));
            Report($"weights 1:2:4: {string.Join(" : ", rates.Select(rate => (rate / rates[0]).ToString("0.00", CultureInfo.InvariantCulture)))} at {rates.Sum() * GreedyProcess.MessageBytes / 1e6:0.0} MB/s");
        }

        Report($"median of {Rounds}: off by {Median(errors):P1}");
        Assert.InRange(Median(errors), 0, 0.05);
    }

    [MeasurementFact]
    public async Task One_reader_at_1_message_per_second_among_20()
    {
        await using ProcessCluster cluster = await Shares.StartedAsync([]);
        List<double> lost = [];
        for (int round = 0; round < Rounds; round++)
        {
            double without = await ReadAsync(cluster, slow: 0);
            double with = await ReadAsync(cluster, slow: 1);
            lost.Add(1 - (with / without));
            Report($"20 readers: {without * GreedyProcess.MessageBytes / 1e6:0.0} MB/s each at full speed; 19 of them beside a slow one: {with * GreedyProcess.MessageBytes / 1e6:0.0} MB/s");
        }

        Report($"median of {Rounds}: they lose {Median(lost):P1}");
        Assert.InRange(Median(lost), -1, 0.1);
    }

    /// <returns>Messages per second that one of those at full speed reads, of a topic of its own with one publisher.</returns>
    private static async Task<double> ReadAsync(ProcessCluster cluster, int slow)
    {
        const int Readers = 20;
        Topic topic = ProcessCluster.NewTopic();
        await using BftClient client = cluster.Connect("reader");
        await using GreedyProcess greedy = new(cluster, topic, BatchBytes, inFlight: 8, Nice, "publisher");
        using CancellationTokenSource over = new();
        long[] read = new long[Readers];
        Task[] reading = [.. Enumerable.Range(0, Readers).Select(index => Task.Run(() => ReadAsync(index)))];
        await Wait.UntilAsync(() => read.All(count => Volatile.Read(ref count) > 0), "every reader reads");
        long before = Full();
        await Wait.PassAsync(Phase);
        double rate = (Full() - before) / Phase.TotalSeconds / (Readers - slow);
        await over.CancelAsync();
        await Task.WhenAll(reading);
        return rate;

        long Full() => Enumerable.Range(slow, Readers - slow).Sum(index => Volatile.Read(ref read[index]));

        async Task ReadAsync(int index)
        {
            try
            {
                await using Subscription subscription = await client.SubscribeAsync(topic, new SubscriptionOptions { From = StartFrom.Latest }, over.Token);
                Delivery? last = null;
                await foreach (Delivery delivery in subscription.WithCancellation(over.Token))
                {
                    // It loses nothing: each message is the one after the last.
                    Assert.True(last is not { } before || (delivery.Sequence == before.Sequence ? delivery.Position == before.Position + 1 : delivery.Sequence == before.Sequence.Following && delivery.Position == 0));
                    last = delivery;
                    Interlocked.Increment(ref read[index]);
                    if (index < slow)
                    {
                        await Task.Delay(1000, over.Token);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // Enough.
            }
        }
    }
}
