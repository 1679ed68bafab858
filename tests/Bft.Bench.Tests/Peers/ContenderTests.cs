using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Peers;

namespace Bft.Bench.Tests.Peers;

/// <summary>The real servers, shortly: that every message is acked, delivered and checked, and that nothing stays behind.</summary>
public sealed class ContenderTests
{
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromMinutes(8));
    private readonly Payloads _payloads = new(1, 100);

    [Fact]
    public async Task Bft_sends_with_a_window_and_never_more() => await CheckAsync(await BftContender.StartAsync(4, _payloads, _deadline.Token));

    [PeerFact("nats-server")]
    public async Task Nats_acks_and_delivers_every_message() => await CheckAsync(await NatsContender.StartAsync(isFlushed: false, _payloads, _deadline.Token));

    [PeerFact("rabbitmq-server")]
    public async Task Rabbitmq_acks_and_delivers_every_message() => await CheckAsync(await RabbitContender.StartAsync(_payloads, _deadline.Token));

    private async Task CheckAsync(IContender contender)
    {
        int[] servers;
        await using (contender)
        {
            servers = [.. contender.Servers];
            long before = contender.Sent;
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token);
            Task<long> watching = MostInFlightAsync(contender, stop.Token);
            Rate rate = await ContenderRun.RateAsync(contender, 100, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), _deadline.Token);
            await stop.CancelAsync();

            Assert.True(rate.PerSecond > 0, $"{rate}");
            Assert.True(rate.ServerCpu > 0, $"{rate}");
            Assert.InRange(await watching, 1, 100);
            Assert.True(contender.Sent > before + 100, $"{contender.Sent} sent");
            Assert.Equal((contender.Sent, contender.Sent), (contender.Acked, contender.Delivered));

            LatencyProbe alone = await ContenderRun.AloneAsync(contender, TimeSpan.Zero, TimeSpan.FromMilliseconds(500), _deadline.Token);
            Assert.True(alone.Certified.Count > 0);
            Assert.Equal(alone.Certified.Count, alone.Delivered.Count);
        }

        Assert.True(servers.Length >= 3);
        Assert.All(servers, server => Assert.True(ProcessUsage.Of(server) is null or { ResidentBytes: 0 }, $"{server} still runs."));
    }

    private static async Task<long> MostInFlightAsync(IContender contender, CancellationToken cancellationToken)
    {
        long most = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            // Acked is read last: it may only have grown, so this is never more than was in flight.
            long sent = contender.Sent;
            most = Math.Max(most, sent - contender.Acked);
            await Task.Delay(1, CancellationToken.None);
        }

        return most;
    }
}
