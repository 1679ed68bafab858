using System.Net.Sockets;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Configuration;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Delivery = Bft.Client.Delivery;

namespace Bft.Cluster.Tests.Sockets;

/// <summary>Real witnesses with Unix sockets, spoken to by parties on their host. Where TLS must not help, the parties know wrong ports only.</summary>
public sealed class LocalTests : IAsyncLifetime
{
    private ProcessCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await ProcessCluster.MadeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync().AsTask();

    [Fact]
    public async Task A_cluster_over_Unix_sockets_delivers_and_goes_on_after_kill_9()
    {
        await GiveSocketsAsync(0, 1, 2, 3);
        await _cluster.StartAsync();
        foreach (int peer in Enumerable.Range(1, 3))
        {
            await _cluster[0].SaysAsync($"connected to peer {peer} on its socket");
        }

        ClusterFile nearOnly = WithWrongPorts(0, 1, 2, 3);
        Topic topic = ProcessCluster.NewTopic();
        await using BftClient client = _cluster.Connect("publisher", nearOnly);
        await using Publisher publisher = await client.OpenPublisherAsync(topic, cancellationToken: ProcessCluster.Deadline);
        await publisher.PublishAsync(new Message("before"u8.ToArray()), ProcessCluster.Deadline);
        await AssertDeliveredAsync(nearOnly, topic, "before");

        await _cluster.KillAsync();
        Assert.All(Enumerable.Range(0, 4), index => Assert.True(Path.Exists(SocketOf(index)))); // nobody was there to remove them
        await _cluster.StartAsync();
        await publisher.PublishAsync(new Message("after"u8.ToArray()), ProcessCluster.Deadline);
        await AssertDeliveredAsync(nearOnly, topic, "before", "after");
        Assert.All(await client.GetStatusAsync(ProcessCluster.Deadline), answer => Assert.Null(answer.Problem));
    }

    [Fact]
    public async Task Witnesses_with_sockets_and_without_make_one_cluster()
    {
        await GiveSocketsAsync(0);
        await _cluster.StartAsync();
        await _cluster[1].SaysAsync("connected to peer 0 on its socket");
        Topic topic = ProcessCluster.NewTopic();
        ClusterFile mixed = WithWrongPorts(0);
        await using BftClient client = _cluster.Connect("publisher", mixed);
        await using (Publisher publisher = await client.OpenPublisherAsync(topic, cancellationToken: ProcessCluster.Deadline))
        {
            await publisher.PublishAsync(new Message("mixed"u8.ToArray()), ProcessCluster.Deadline);
        }

        await AssertDeliveredAsync(mixed, topic, "mixed");
        Assert.All(await client.GetStatusAsync(ProcessCluster.Deadline), answer => Assert.Null(answer.Problem));
    }

    [Fact]
    public async Task A_party_for_whom_the_socket_is_of_no_use_speaks_TLS()
    {
        await _cluster.StartAsync();
        await GiveSocketsAsync(0, 1, 2, 3); // in the client's file only
        Abandon(SocketOf(0));
        List<ClientNotice> notices = [];
        await using BftClient client = _cluster.Connect("reader", onNotice: notice =>
        {
            lock (notices)
            {
                notices.Add(notice);
            }
        });
        Topic topic = ProcessCluster.NewTopic();
        await using Publisher publisher = await client.OpenPublisherAsync(topic, cancellationToken: ProcessCluster.Deadline);
        await publisher.PublishAsync(new Message("far"u8.ToArray()), ProcessCluster.Deadline);

        // All four, the one with the stale file too, as soon as that was found out.
        await Wait.UntilAsync(() => Enumerable.Range(0, 4).All(index => Reached().Contains(index)), "a session with each witness");
        await AssertDeliveredAsync(_cluster.File, topic, "far");

        HashSet<int> Reached()
        {
            lock (notices)
            {
                return [.. notices.OfType<WitnessReached>().Select(reached => reached.Witness.Value)];
            }
        }
    }

    [Fact]
    public async Task A_client_that_a_witness_does_not_know_is_refused_on_its_socket()
    {
        await GiveSocketsAsync(0, 1, 2, 3);
        string whole = await File.ReadAllTextAsync(_cluster.ClusterPath);
        ClusterFile nearOnly = WithWrongPorts(0, 1, 2, 3);
        await File.WriteAllTextAsync(_cluster.ClusterPath, whole.Replace(_cluster.File.Clients.Single(client => client.Name == "twin").Key.ToString(), OtherKey(), StringComparison.Ordinal));
        await _cluster.StartAsync();
        await using BftClient stranger = _cluster.Connect("twin", nearOnly);

        Assert.All(await stranger.GetStatusAsync(ProcessCluster.Deadline), answer => Assert.Contains("is no client's in this witness's cluster.yaml", answer.Problem, StringComparison.Ordinal));
    }

    private static string OtherKey()
    {
        using Crypto.Ed25519Signer signer = new(System.Security.Cryptography.RandomNumberGenerator.GetBytes(Crypto.Ed25519Signer.SeedLength));
        return signer.PublicKey.ToString();
    }

    /// <summary>What a process leaves that is killed.</summary>
    private static void Abandon(string place)
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(place + ".first"));
        listener.Listen();
        File.Move(place + ".first", place);
    }

    private string SocketOf(int index) => Path.Combine(_cluster.Root, $"w{index}.sock");

    /// <summary>Into the cluster.yaml of all.</summary>
    private async Task GiveSocketsAsync(params int[] witnesses)
    {
        string yaml = await File.ReadAllTextAsync(_cluster.ClusterPath);
        foreach (int index in witnesses)
        {
            string address = $"address: {_cluster.File.Witnesses[index].Address.GetLeftPart(UriPartial.Authority)}\n";
            Assert.Contains(address, yaml, StringComparison.Ordinal);
            yaml = yaml.Replace(address, $"{address}    unix: {SocketOf(index)}\n", StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(_cluster.ClusterPath, yaml);
        _cluster.Read();
    }

    /// <summary>As a party sees the cluster to whom these witnesses' addresses are of no use.</summary>
    private ClusterFile WithWrongPorts(params int[] witnesses)
    {
        string yaml = File.ReadAllText(_cluster.ClusterPath);
        foreach (int index in witnesses)
        {
            yaml = yaml.Replace(_cluster.File.Witnesses[index].Address.GetLeftPart(UriPartial.Authority), $"https://127.0.0.1:{index + 1}", StringComparison.Ordinal);
        }

        return ClusterFile.Parse(yaml, "near.yaml");
    }

    private async Task AssertDeliveredAsync(ClusterFile file, Topic topic, params string[] messages)
    {
        await using BftClient reader = _cluster.Connect("reader", file);
        await using Subscription subscription = await reader.SubscribeAsync(topic, cancellationToken: ProcessCluster.Deadline);
        List<string> received = [];
        await foreach (Delivery delivery in subscription.WithCancellation(ProcessCluster.Deadline))
        {
            received.Add(System.Text.Encoding.UTF8.GetString(delivery.Message.Payload.Span));
            if (received.Count == messages.Length)
            {
                break;
            }
        }

        Assert.Equal(messages, received);
    }
}
