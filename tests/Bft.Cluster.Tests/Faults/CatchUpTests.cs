using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;

namespace Bft.Cluster.Tests.Faults;

/// <summary>A witness that was down fetches what it missed (W5, W8, S1).</summary>
public sealed class CatchUpTests : IAsyncLifetime
{
    private const int Messages = 300_000;
    private const int Late = 3;
    private const int FirstAsked = 0; // by the last witness: it begins with the one after itself

    private ProcessCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await ProcessCluster.StartedAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync().AsTask();

    [Fact]
    public async Task W8_a_witness_catches_up_though_the_first_peer_that_it_asks_is_silent()
    {
        await _cluster.KillAsync(Late);
        (StreamId stream, Sequence last) = await PublishAsync();
        await _cluster[FirstAsked].FreezeAsync();
        _cluster.Launch(Late);

        await using BftClient client = _cluster.Connect("reader");
        string tip = "";
        await Wait.UntilAsync(
            async () =>
            {
                WitnessHealth[] all = await client.GetStatusAsync(ProcessCluster.Deadline);
                Sequence? stored = all[Late].Status?.Streams.FirstOrDefault(status => status.Stream == stream)?.Tip;
                tip = $"{stored}";
                return stored >= last;
            },
            () => $"the late witness stores up to {last}, and is at {tip}. {_cluster[Late].Log}");

        await _cluster[FirstAsked].ThawAsync();
        await Levels.ReachedAsync(_cluster);
    }

    private async Task<(StreamId Stream, Sequence Last)> PublishAsync()
    {
        await using BftClient client = _cluster.Connect("publisher");
        await using Publisher publisher = await client.OpenPublisherAsync(ProcessCluster.NewTopic(), cancellationToken: ProcessCluster.Deadline);
        PublishTicket ticket = default;
        for (int i = 0; i < Messages; i++)
        {
            ticket = await publisher.SendAsync(new Message(new byte[100]), CancellationToken.None);
        }

        return (publisher.Stream!.Id, (await ticket.Certified.WaitAsync(ProcessCluster.Patience)).Sequence);
    }
}
