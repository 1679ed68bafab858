using System.Diagnostics;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Wire.Frames;
using Bft.Wire.Services;

namespace Bft.Node.Tests.Egress;

/// <summary>What a witness tells a peer is what the peer may cost it in return.</summary>
public sealed class PeerLinksTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly AcksFrame Acks = new(new byte[1024]);
    private static readonly TipFrame Tip = new(new byte[1024]);
    private readonly LocalCluster _cluster = new();
    private readonly NodeIdentity _identity;
    private readonly PeerLinks _links;

    public PeerLinksTests()
    {
        _identity = NodeIdentity.Load(_cluster.OptionsOf(0));
        PeerDialer dialer = new(_identity, EdgeLimits.Default, new NodeLog(TextWriter.Null, new WitnessIndex(0)));
        _links = new PeerLinks(_identity, peer => new PeerLink(peer, dialer, EdgeLimits.Default, new CoreMailbox(), new NodeLog(TextWriter.Null, _identity.Index)));
        foreach (PeerLink link in _links.All)
        {
            Assert.Equal(TimeSpan.Zero, link.Allowance.Spend(Allowance.DefaultMax, 0));
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        _identity.Dispose();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public void W7_acks_that_all_are_told_are_worth_as_many_of_each()
    {
        _links.Post(null, Acks, bytes: 1024);

        Assert.Equal([1, 2, 3], _links.All.Select(link => link.Peer.Value));
        Assert.All(_links.All, link => AssertEarned(link, Allowance.CostOf(Acks) + Allowance.Signature));
    }

    [Fact]
    public void W8_what_is_for_one_peer_goes_to_no_other()
    {
        _links.Post(new WitnessIndex(2), Acks, bytes: 1024);
        _links.PostTip(new WitnessIndex(3), new StreamId(Sha256.Hash([1])), Tip);

        AssertEarned(_links.Of(new WitnessIndex(1))!, 0);
        AssertEarned(_links.Of(new WitnessIndex(2))!, Allowance.CostOf(Acks) + Allowance.Signature);
        AssertEarned(_links.Of(new WitnessIndex(3))!, Allowance.CostOf(Tip));
    }

    [Fact]
    public async Task A_link_is_connected_while_its_peer_runs_and_again_when_that_is_back()
    {
        using CancellationTokenSource stop = new();
        PeerLink link = _links.Of(new WitnessIndex(1))!;
        Task running = link.RunAsync(stop.Token);
        Assert.False(link.IsConnected);

        foreach (bool runs in new[] { true, false, true })
        {
            await (runs ? _cluster.StartAsync(1) : _cluster.StopAsync(1));
            for (long begun = Stopwatch.GetTimestamp(); link.IsConnected != runs; await Task.Delay(10))
            {
                Assert.True(Stopwatch.GetElapsedTime(begun) < LocalCluster.Patience, $"Though the peer {(runs ? "runs" : "ended")}, this is what the link says for so long.");
            }
        }

        await stop.CancelAsync();
        await running.WaitAsync(LocalCluster.Patience);
        Assert.False(link.IsConnected);
    }

    private static void AssertEarned(PeerLink link, long amount)
    {
        Assert.Equal(TimeSpan.Zero, link.Allowance.Spend(amount, 0));
        Assert.NotEqual(TimeSpan.Zero, link.Allowance.Spend(1, 0));
    }
}
