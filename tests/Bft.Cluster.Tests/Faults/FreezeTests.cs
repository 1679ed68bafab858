using Bft.Client;
using Bft.Cluster.Tests.Support;

namespace Bft.Cluster.Tests.Faults;

/// <summary>SIGSTOP: a witness that holds its connections and does nothing; the network says that all is well.</summary>
public sealed class FreezeTests : IAsyncLifetime
{
    private const int Frozen = 3;

    /// <summary>Longer than every time-out: a server gives up a silent connection after 30 s (ping after 10, answer within 20), all others are shorter.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(33);

    private ProcessCluster _cluster = null!;
    private AckBook _book = null!;
    private AckTap _tap = null!;
    private Traffic _traffic = null!;

    public async Task InitializeAsync()
    {
        _cluster = await ProcessCluster.StartedAsync();
        _book = new AckBook(_cluster.File.Committee);
        _tap = new AckTap(_cluster, "publisher", _book);
        _traffic = await Traffic.StartAsync(_cluster, subscribe: new SubscriptionOptions { FirstServing = new(Frozen) });
        await _traffic.ProgressAsync("before anything happens");
    }

    public async Task DisposeAsync()
    {
        await _traffic.DisposeAsync();
        await _tap.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task R4_the_witness_that_serves_all_readers_freezes_for_longer_than_every_timeout_and_nothing_stops()
    {
        await _cluster[Frozen].FreezeAsync();
        await _traffic.ProgressAsync("with the serving witness frozen");
        await Wait.PassAsync(Long);
        await _traffic.ProgressAsync("with one witness frozen for long");
        await _cluster[Frozen].ThawAsync();
        int acks = _book.AcksOf(Frozen);
        await Levels.ReachedAsync(_cluster);
        await Wait.UntilAsync(() => _book.AcksOf(Frozen) > acks, "the witness acks again");
        await _traffic.FinishAsync();
        _book.AssertNoDoubles();
    }

    [Fact]
    public async Task With_two_of_four_frozen_publishing_waits_and_then_goes_on()
    {
        await Task.WhenAll(_cluster[0].FreezeAsync(), _cluster[1].FreezeAsync());
        int receipts = -1;
        while (receipts != _traffic.Receipts)
        {
            receipts = _traffic.Receipts; // of what was under way
            await Wait.PassAsync(TimeSpan.FromSeconds(1));
        }

        await Wait.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(receipts, _traffic.Receipts);
        await Task.WhenAll(_cluster[0].ThawAsync(), _cluster[1].ThawAsync());
        await _traffic.ProgressAsync("with all four back");
        await Levels.ReachedAsync(_cluster);
        await _traffic.FinishAsync();
        _book.AssertNoDoubles();
    }
}
