using Bft.Bench.Load;
using Bft.Bench.Running;

namespace Bft.Bench.Peers;

/// <summary>Bft as by default: TLS, signatures, flushed before it is acked; acked means certified by a quorum.</summary>
internal sealed class BftContender : IContender
{
    private readonly BenchCluster _cluster;
    private readonly LoadGroup _group;

    private BftContender(BenchCluster cluster, LoadGroup group)
    {
        _cluster = cluster;
        _group = group;
    }

    public long Sent => _group.Sent;

    public long Acked => _group.Certified;

    public long Delivered => _group.Delivered;

    public Task Failed => _group.Failed;

    public IReadOnlyCollection<int> Servers => [.. _cluster.Witnesses.OfType<WitnessProcess>().Select(witness => witness.Id)];

    public LatencyProbe? Probe
    {
        set => (_group.Publisher.Probe, _group.Receiver.Probe) = (value, value);
    }

    public static async Task<IContender> StartAsync(int witnesses, Payloads payloads, CancellationToken cancellationToken)
    {
        BenchCluster cluster = await BenchCluster.StartAsync(witnesses, hasSlowLinks: false, cancellationToken);
        try
        {
            return new BftContender(cluster, await LoadGroup.OpenAsync(cluster, payloads, cancellationToken));
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task SendAsync(int window, CancellationToken cancellationToken) => Task.Run(() => _group.Publisher.SendWindowAsync(window, cancellationToken), CancellationToken.None);

    public Task SendOneAsync() => _group.Publisher.SendOneAsync();

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _group.DisposeAsync();
        }
        finally
        {
            await _cluster.DisposeAsync();
        }
    }
}
