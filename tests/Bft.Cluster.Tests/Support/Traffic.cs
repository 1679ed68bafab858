using System.Collections.Concurrent;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;

namespace Bft.Cluster.Tests.Support;

/// <summary>Honest load: publishers of two identities in two topics, and two readers of each. At the end it says whether anything was lost, doubled or changed.</summary>
internal sealed class Traffic : IAsyncDisposable
{
    private readonly ProcessCluster _cluster;
    private readonly BftClient[] _clients;
    private readonly List<Writer> _writers = [];
    private readonly List<Reader> _readers = [];
    private readonly ConcurrentQueue<string> _accusations;

    private Traffic(ProcessCluster cluster, BftClient[] clients, ConcurrentQueue<string> accusations)
    {
        _cluster = cluster;
        _clients = clients;
        _accusations = accusations;
    }

    public IReadOnlyList<Writer> Writers => _writers;

    public IReadOnlyList<Reader> Readers => _readers;

    /// <summary>What the clients hold against a witness. Honest ones are never accused.</summary>
    public IReadOnlyCollection<string> Accusations => _accusations;

    private WitnessIndex? MayBeAccused { get; init; }

    public int Receipts => _writers.Sum(writer => writer.Receipts.Count);

    /// <param name="cluster">Started.</param>
    /// <param name="forWriters">How writers see the cluster. Default: as it is.</param>
    /// <param name="forReaders">How readers see it.</param>
    /// <param name="subscribe">How they read.</param>
    /// <param name="mayBeAccused">A witness that misbehaves.</param>
    public static async Task<Traffic> StartAsync(ProcessCluster cluster, ClusterFile? forWriters = null, ClusterFile? forReaders = null, SubscriptionOptions? subscribe = null, WitnessIndex? mayBeAccused = null)
    {
        ConcurrentQueue<string> accusations = new();
        Traffic? self = null;
        void OnNotice(ClientNotice notice)
        {
            if (notice is WitnessMisbehaved { Witness: var witness } && witness == self?.MayBeAccused)
            {
                return;
            }

            if (notice is WitnessMisbehaved or EvidenceSeen or WrongPin or SlotsSkipped or JournalTrouble)
            {
                accusations.Enqueue($"{notice}");
            }
        }

        BftClient[] clients = [.. new[] { "publisher", "second", "reader" }.Select(name => cluster.Connect(name, name == "reader" ? forReaders : forWriters, OnNotice))];
        Traffic traffic = self = new Traffic(cluster, clients, accusations) { MayBeAccused = mayBeAccused };
        foreach (Topic topic in new[] { ProcessCluster.NewTopic(), ProcessCluster.NewTopic() })
        {
            foreach (BftClient client in clients[..2])
            {
                traffic._writers.Add(new Writer(await client.OpenPublisherAsync(topic, new PublisherOptions { KeepReceipts = true }, ProcessCluster.Deadline), client.Identity));
            }

            for (int i = 0; i < 2; i++)
            {
                traffic._readers.Add(new Reader(await clients[2].SubscribeAsync(topic, subscribe, ProcessCluster.Deadline)));
            }
        }

        return traffic;
    }

    /// <summary>Each writer gets receipts of what it sends from now on, and each reader delivers it.</summary>
    public async Task ProgressAsync(string after)
    {
        int[] sent = [.. _writers.Select(writer => writer.Sent)];
        await Wait.UntilAsync(
            () => IsOver || _writers.Index().All(pair => IsDelivered(pair.Item, sent[pair.Index] + 1) && pair.Item.LastReceipt >= sent[pair.Index]),
            $"publishers and readers go on {after}",
            () => $"sent {string.Join(' ', sent)}, now {this}");
        AssertSound();
    }

    /// <summary>All that was sent so far is delivered to each reader.</summary>
    public async Task DeliveredAsync(string after)
    {
        int[] sent = [.. _writers.Select(writer => writer.Sent)];
        await Wait.UntilAsync(
            () => IsOver || _writers.Index().All(pair => IsDelivered(pair.Item, sent[pair.Index])),
            $"all is delivered {after}",
            ToString);
        AssertSound();
    }

    /// <summary>Stops, and judges: what was sent is delivered, to readers that were there and to one that comes now, alike; and every receipt holds.</summary>
    public async Task FinishAsync()
    {
        foreach (Writer writer in _writers)
        {
            await writer.FinishAsync();
        }

        foreach (Topic topic in _writers.Select(writer => writer.Topic).Distinct().ToArray())
        {
            _readers.Add(new Reader(await _clients[2].SubscribeAsync(topic, cancellationToken: ProcessCluster.Deadline)));
        }

        await DeliveredAsync("at the end");
        foreach (IGrouping<Topic, Reader> readers in _readers.GroupBy(reader => reader.Topic))
        {
            foreach (Reader reader in readers)
            {
                await reader.DisposeAsync();
            }

            Assert.All(_writers.Where(writer => writer.Topic == readers.Key), writer => Assert.All(readers, reader => Assert.Equal(writer.Sent, reader.CountOf(writer.Key))));
            Assert.All(readers, reader => Assert.Equal(readers.First().Transcript, reader.Transcript));
        }

        AssertSound();
        AssertReceiptsHold();
    }

    public override string ToString() => string.Join("; ", _writers.Select(writer =>
        $"sent {writer.Sent}, receipts to {writer.LastReceipt}, read {string.Join(' ', _readers.Where(reader => reader.Topic == writer.Topic).Select(reader => reader.CountOf(writer.Key)))}"));

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_readers.Select(reader => reader.DisposeAsync().AsTask()));
        await Task.WhenAll(_writers.Select(writer => writer.DisposeAsync().AsTask()));
        foreach (BftClient client in _clients)
        {
            await client.DisposeAsync();
        }
    }

    /// <summary>Somebody has a problem: nothing more is worth waiting for.</summary>
    private bool IsOver => _readers.Exists(reader => reader.Problem is not null) || _writers.Exists(writer => writer.Problem is not null);

    private void AssertSound()
    {
        Assert.All(_writers, writer => Assert.Null(writer.Problem));
        Assert.All(_readers, reader => Assert.Null(reader.Problem));
        Assert.Empty(_accusations);
    }

    private bool IsDelivered(Writer writer, int count) => _readers.TrueForAll(reader => reader.Topic != writer.Topic || reader.CountOf(writer.Key) >= count);

    private void AssertReceiptsHold()
    {
        ReceiptVerifier verifier = new(_cluster.File.Committee, Ed25519.Instance);
        Assert.All(_writers, writer => Assert.All(writer.Receipts, given =>
        {
            Assert.True(verifier.TryVerify(given.Receipt, out VerifiedReceipt? verified, out RejectReason reason), reason.ToString());
            Assert.Equal(Writer.Payload(writer.Key, given.Number), Assert.Single(verified.Messages).Content.Message.Payload.ToArray());
            Assert.Equal(writer.Stream!.Id, verified.Statement.Statement.Header.Id);
        }));
    }
}
