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
    private static readonly string[] Clients = ["publisher", "reader", "second", "twin"];
    private readonly WitnessProcess?[] _witnesses = new WitnessProcess?[Count];
    private readonly string?[] _data = new string?[Count];
    private readonly string?[] _paths = new string?[Count];

    private ProcessCluster(string root) => Root = root;

    /// <summary>Longer than any step takes on a slow machine; a test that waits so long has failed.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(120);

    public static CancellationToken Deadline => new CancellationTokenSource(Patience).Token;

    public ClusterFile File { get; private set; } = null!;

    public WitnessProcess this[int index] => _witnesses[index]!;

    /// <summary>See <see cref="In"/>.</summary>
    public string Root { get; }

    public string Folder => Path.Combine(Root, "cluster");

    public string ClusterPath => Path.Combine(Folder, "cluster.yaml");

    public static async Task<ProcessCluster> StartedAsync()
    {
        ProcessCluster cluster = await MadeAsync();
        await cluster.StartAsync();
        return cluster;
    }

    /// <summary>One that another process made and runs: its keys and addresses. Not to be disposed.</summary>
    public static ProcessCluster In(string root)
    {
        ProcessCluster cluster = new(root);
        cluster.File = ClusterFile.Load(cluster.ClusterPath);
        return cluster;
    }

    /// <summary>A cluster none of whose witnesses runs yet.</summary>
    /// <param name="more">Clients beside those that every cluster has.</param>
    public static async Task<ProcessCluster> MadeAsync(params string[] more)
    {
        ProcessCluster cluster = new(Directory.CreateTempSubdirectory("bft-cluster-").FullName);
        await cluster.MakeAsync(more);
        return cluster;
    }

    /// <summary>A witness's data folder; a test may put it elsewhere before the witness starts.</summary>
    public string DataOf(int index) => _data[index] ?? Path.Combine(Folder, $"witness-{index}", "data");

    public void PutData(int index, string folder) => _data[index] = folder;

    /// <summary>The cluster.yaml that this witness reads; each may see the others at other addresses.</summary>
    public string ClusterPathOf(int index) => _paths[index] ?? ClusterPath;

    /// <summary>A test has written another cluster.yaml.</summary>
    public void Read() => File = ClusterFile.Load(ClusterPath);

    public void PutClusterPath(int index, string path) => _paths[index] = path;

    /// <summary>A topic of a test's own.</summary>
    public static Topic NewTopic() => new($"plain.{Guid.NewGuid():n}");

    public string KeyFileOf(string client) => Path.Combine(Folder, "clients", client, "identity.key");

    public Ed25519Signer SignerOf(string client)
    {
        using SecretBytes seed = KeyFile.Load(KeyFileOf(client));
        return new Ed25519Signer(seed.Span);
    }

    /// <param name="client">Whose key.</param>
    /// <param name="file">How it sees the cluster. Default: as it is.</param>
    /// <param name="onNotice">Told what happens.</param>
    public BftClient Connect(string client, ClusterFile? file = null, Action<ClientNotice>? onNotice = null) =>
        BftClient.Connect(new BftClientOptions { Cluster = file ?? File, KeyFile = KeyFileOf(client), OnNotice = onNotice });

    /// <summary>Starts those that do not run, of all four or of some, and waits until each is ready.</summary>
    public Task StartAsync(params int[] some) =>
        Task.WhenAll(Enumerable.Range(0, Count).Where(index => some.Length == 0 || some.Contains(index)).Select(index => Launch(index).Ready).ToArray());

    /// <summary>Starts one that does not run, and does not wait.</summary>
    /// <param name="index">Which.</param>
    /// <param name="before">As for <see cref="WitnessProcess"/>.</param>
    public WitnessProcess Launch(int index, params string[] before) => _witnesses[index] ??= new WitnessProcess(ClusterPathOf(index), index, ["--data", DataOf(index)], before);

    /// <summary>SIGKILL to all four, or to some, at once.</summary>
    public async Task KillAsync(params int[] some)
    {
        WitnessProcess[] killed = [.. _witnesses.Where((witness, index) => witness is not null && (some.Length == 0 || some.Contains(index)))!];
        Array.ForEach(killed, witness => witness.Kill());
        await Task.WhenAll(killed.Select(witness => witness.DisposeAsync().AsTask()));
        for (int index = 0; index < Count; index++)
        {
            _witnesses[index] = killed.Contains(_witnesses[index]) ? null : _witnesses[index];
        }
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
        Directory.Delete(Root, recursive: true);
    }

    private async Task MakeAsync(string[] more)
    {
        using Process init = Process.Start(WitnessProcess.Program(["init", "--witnesses", $"{Count}", "--out", Folder, .. Clients.Concat(more).SelectMany(client => new[] { "--client", client })]))!;
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

    /// <summary>Ports below those that the system gives to outgoing connections: one of these could hold a witness's port while the witness is down.</summary>
    internal static int[] FreePorts(int count = Count)
    {
        List<TcpListener> listeners = [];
        while (listeners.Count < count)
        {
            TcpListener listener = new(IPAddress.Loopback, Random.Shared.Next(10_000, 32_000));
            try
            {
                listener.Start();
                listeners.Add(listener);
            }
            catch (SocketException)
            {
                listener.Dispose();
            }
        }

        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        listeners.ForEach(listener => listener.Dispose());
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
