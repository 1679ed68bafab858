using BenchmarkDotNet.Attributes;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.MicroBench;

/// <summary>A witness's handler, from verified batch to stored tip: ack, commit with its signature, two peers' acks, certificate, commit. Per batch; a batch may hold thousands of messages.</summary>
public class WitnessBenchmarks
{
    private const int Batches = 256;
    private readonly WitnessEffects _effects = new();
    private TestCluster _cluster = null!;
    private VerifiedBatch[] _batches = [];
    private VerifiedAck[][] _acks = [];
    private WitnessRole _role = null!;
    private ulong _mark;

    [GlobalSetup]
    public void Setup()
    {
        _cluster = new TestCluster();
        _batches = _cluster.Stream().AppendMany(Batches);
        _acks = [.. _batches.Select(batch => new[] { _cluster.Ack(1, batch.Reference, from: 0), _cluster.Ack(2, batch.Reference, from: 0) })];
        Begin();
        if (Handle() != Batches)
        {
            throw new InvalidOperationException("Not every batch became a stored tip.");
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _cluster.Dispose();

    [IterationSetup]
    public void Begin()
    {
        _mark = 0;
        _role = new WitnessRole(_cluster.Committee, new WitnessIndex(0), _cluster.SignerOf(new WitnessIndex(0)), NodeLimits.Default);
        _role.Start(new Run(1), _effects);
        foreach (WitnessIndex peer in _cluster.Committee.Members.Where(peer => peer.Value > 0))
        {
            _role.OnRecall(peer, [], null, new Run(1), _effects);
        }

        Commit();
        _effects.Clear();
    }

    [Benchmark(Description = "witness: batch to stored tip", OperationsPerInvoke = Batches)]
    public int Handle()
    {
        int tips = 0;
        for (int i = 0; i < Batches; i++)
        {
            _role.OnBatch(_batches[i], _effects);
            Commit();
            _role.OnAcks(_acks[i], _effects);
            Commit();
            tips += _effects.StoredTips.Count;
            _effects.Clear();
        }

        return tips;
    }

    private void Commit()
    {
        Mark mark = new(++_mark);
        _role.OnSealed(mark);
        _role.OnDurable(mark, _effects);
    }
}
