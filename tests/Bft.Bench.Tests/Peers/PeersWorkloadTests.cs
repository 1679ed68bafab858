using Bft.Bench.Peers;
using Bft.Bench.Results;

namespace Bft.Bench.Tests.Peers;

/// <summary>A whole run, as short as it can be, with whatever peers are installed.</summary>
public sealed class PeersWorkloadTests : IBenchOutput
{
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromMinutes(10));
    private readonly List<BenchCase> _cases = [];
    private readonly List<string> _notes = [];

    void IBenchOutput.Doing(string what, TimeSpan? time)
    {
    }

    void IBenchOutput.Noted(string sentence) => _notes.Add(sentence);

    void IBenchOutput.Measured(BenchCase measured) => _cases.Add(measured);

    [Fact]
    public async Task Each_peer_is_measured_beside_Bft_or_named_as_left_out()
    {
        BenchOptions options = new() { Workloads = ["latency"], HasPeers = true, Rounds = 1, Sizes = [100], WarmUp = TimeSpan.FromMilliseconds(200), Time = TimeSpan.FromSeconds(1) };
        await BenchRun.RunAsync(options, this, _deadline.Token);

        Assert.All(_cases, one => Assert.Equal("peers, 100 B", one.Workload));
        BenchCase bft = Assert.Single(_cases, one => one.Name == "bft");
        foreach ((string name, string id, bool isInstalled) in new[] { ("nats", "Nats", NatsServers.Program is not null), ("rabbitmq", "Rabbitmq", RabbitNodes.Program is not null) })
        {
            Assert.Equal(isInstalled ? 0 : 1, _notes.Count(note => note.StartsWith($"{name} is left out", StringComparison.Ordinal) && note.Contains("apt-get install", StringComparison.Ordinal)));
            if (isInstalled)
            {
                BenchCase peer = Assert.Single(_cases, one => one.Name == name);
                Assert.Equal(Of(bft, "ackedMillisecondsP50") / Of(peer, "ackedMillisecondsP50"), Of(bft, $"ackedRatioP50To{id}"), 6);
            }
            else
            {
                Assert.DoesNotContain(_cases, one => one.Name == name);
            }
        }
    }

    private static double Of(BenchCase measured, string name) => Assert.Single(measured.Figures, figure => figure.Name == name).Value;
}
