using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Storage;
using Delivery = Bft.Client.Delivery;

namespace Bft.Cluster.Tests.Support;

/// <summary>Four witness processes of one cluster, made by `bft init`, in a folder that goes away.</summary>
public sealed partial class ProcessCluster : IAsyncDisposable
{
    public const int Count = 4;
    private readonly string _root = Directory.CreateTempSubdirectory("bft-cluster-").FullName;
    private readonly WitnessProcess?[] _witnesses = new WitnessProcess?[Count];

    private ProcessCluster()
    {
    }

    /// <summary>Longer than any step takes on a slow machine; a test that waits so long has failed.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    public static CancellationToken Deadline => new CancellationTokenSource(Patience).Token;

    public ClusterFile File { get; private set; } = null!;

    public WitnessProcess this[int index] => _witnesses[index]!;

    public string Folder => Path.Combine(_root, "cluster");

    public string ClusterPath => Path.Combine(Folder, "cluster.yaml");

    public static async Task<ProcessCluster> StartedAsync()
    {
        ProcessCluster cluster = new();
        await cluster.MakeAsync();
        await cluster.StartAsync();
        return cluster;
    }

    /// <summary>A topic of a test's own.</summary>
    public static Topic NewTopic() => new($"plain.{Guid.NewGuid():n}");

    public string KeyFileOf(string client) => Path.Combine(Folder, "clients", client, "identity.key");

    public Ed25519Signer SignerOf(string client)
    {
        using SecretBytes seed = KeyFile.Load(KeyFileOf(client));
        return new Ed25519Signer(seed.Span);
    }

    public BftClient Connect(string client) => BftClient.Connect(new BftClientOptions { Cluster = File, KeyFile = KeyFileOf(client) });

    /// <summary>Starts those that do not run.</summary>
    public async Task StartAsync()
    {
        for (int index = 0; index < Count; index++)
        {
            _witnesses[index] ??= new WitnessProcess(ClusterPath, index);
        }

        await Task.WhenAll(_witnesses.Select(witness => witness!.Ready));
    }

    /// <summary>SIGKILL to all four at once.</summary>
    public async Task KillAsync()
    {
        foreach (WitnessProcess? witness in _witnesses)
        {
            witness?.Kill();
        }

        await Task.WhenAll(_witnesses.OfType<WitnessProcess>().Select(witness => witness.DisposeAsync().AsTask()));
        Array.Clear(_witnesses);
    }

    /// <summary>An honest publisher and an honest reader are served as ever, this witness taking part in both.</summary>
    public async Task AssertServesAsync(int witness)
    {
        Assert.True(this[witness].IsRunning, $"The witness ended: {(this[witness].IsRunning ? "" : this[witness].Log)}");
        Topic topic = NewTopic();
        await using BftClient client = Connect("reader");
        await using Publisher publisher = await client.OpenPublisherAsync(topic, cancellationToken: Deadline);
        await publisher.PublishAsync(new Message("honest"u8.ToArray()), Deadline);
        await using Subscription subscription = await client.SubscribeAsync(topic, cancellationToken: Deadline);
        await foreach (Delivery delivery in subscription.WithCancellation(Deadline))
        {
            Assert.Equal("honest"u8, delivery.Message.Payload.Span);
            break;
        }

        using RawClient raw = new(this, witness);
        Assert.Equal(Sequence.Zero, (await raw.FirstBodyAsync(topic)).Slot.Sequence);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_root, recursive: true);
    }

    private async Task MakeAsync()
    {
        using Process init = Process.Start(WitnessProcess.Program("init", "--witnesses", $"{Count}", "--out", Folder, "--client", "publisher", "--client", "reader"))!;
        await init.WaitForExitAsync(Deadline);
        Assert.True(init.ExitCode == 0, await init.StandardError.ReadToEndAsync());

        // Ports that nobody uses, and topics that no policy covers. Neither is part of the cluster's id.
        Queue<int> ports = new(FreePorts());
        string yaml = await System.IO.File.ReadAllTextAsync(ClusterPath);
        yaml = Address().Replace(yaml, _ => $"https://127.0.0.1:{ports.Dequeue()}").Replace("\"*\":", "\"plain.*\":", StringComparison.Ordinal);
        await System.IO.File.WriteAllTextAsync(ClusterPath, yaml);
        File = ClusterFile.Load(ClusterPath);
        Assert.Empty(ports);
        Assert.False(File.HasPolicyFor(new Topic("uncovered")));
    }

    private static int[] FreePorts()
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, Count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        Array.ForEach(listeners, listener => listener.Start());
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        Array.ForEach(listeners, listener => listener.Dispose());
        return ports;
    }

    [GeneratedRegex("https://127\\.0\\.0\\.1:\\d+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();
}

/// <summary>One cluster for all tests that restart none of its witnesses.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public ProcessCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await ProcessCluster.StartedAsync();

    public Task DisposeAsync() => Cluster.DisposeAsync().AsTask();
}

[CollectionDefinition(Name)]
public sealed class SharedClusterTests : ICollectionFixture<SharedCluster>
{
    public const string Name = "one cluster";
}
