using Bft.Bench.Running;
using Bft.Cli.Clusters;
using Bft.Client;
using Bft.Configuration;

namespace Bft.Cli.Demo;

/// <summary>The demo's cluster: a folder of its own, and one process per witness. Leaves nothing behind, unless it is to be kept.</summary>
internal sealed class DemoCluster : IAsyncDisposable
{
    public const int Count = 4;
    public const string Publisher = "desk";
    public const string FirstReceiver = "alice";
    public const string SecondReceiver = "bob";
    public const string Liar = "mallory";
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly bool _isKept;
    private readonly List<BftClient> _clients = [];
    private readonly WitnessProcess?[] _witnesses = new WitnessProcess?[Count];

    public DemoCluster(bool isKept)
    {
        _isKept = isKept;
        Folder = new ClusterFolder(Path.Combine(Directory.CreateTempSubdirectory("bft-demo-").FullName, ClusterFolder.ClusterFileName));
    }

    public ClusterFolder Folder { get; }

    public ClusterFile File { get; private set; } = null!;

    public IReadOnlyList<WitnessProcess?> Witnesses => _witnesses;

    public void Make() => File = ClusterMaker.Make(
        Folder, "demo", [.. FreePorts.Take(Count).Select(port => new UriBuilder(Uri.UriSchemeHttps, "127.0.0.1", port).Uri)], [Publisher, FirstReceiver, SecondReceiver, Liar]);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (int index = 0; index < Count; index++)
        {
            _witnesses[index] = WitnessProcess.Start(Folder.ClusterFilePath, index);
        }

        await Task.WhenAll(_witnesses.Select(witness => witness!.WhenReadyAsync(cancellationToken)));
    }

    public async Task KillAsync(int index)
    {
        await _witnesses[index]!.KillAsync();
        _witnesses[index]!.Dispose();
        _witnesses[index] = null;
    }

    public async Task RestartAsync(int index, CancellationToken cancellationToken)
    {
        _witnesses[index] = WitnessProcess.Start(Folder.ClusterFilePath, index);
        await _witnesses[index]!.WhenReadyAsync(cancellationToken);
    }

    /// <summary>A client under one of the demo's identities; disposed with the cluster.</summary>
    /// <param name="name">Which identity.</param>
    /// <param name="dataDirectory">Null: beside the identity.</param>
    /// <param name="cluster">Null: the cluster's own file.</param>
    public BftClient Connect(string name, string? dataDirectory = null, ClusterFile? cluster = null) => ConnectAs(Folder.ClientKey(name), dataDirectory, cluster);

    public BftClient ConnectAs(string keyFile, string? dataDirectory = null, ClusterFile? cluster = null)
    {
        BftClient client = BftClient.Connect(new BftClientOptions { Cluster = cluster ?? File, KeyFile = keyFile, DataDirectory = dataDirectory });
        _clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_clients.Select(client => client.DisposeAsync().AsTask()));
        await Task.WhenAll(_witnesses.Select(witness => witness switch
        {
            null => Task.CompletedTask,
            _ when _isKept => witness.StopAsync(Farewell),
            // Their data goes too, so there is nothing to save.
            _ => witness.KillAsync(),
        }));
        foreach (WitnessProcess? witness in _witnesses)
        {
            witness?.Dispose();
        }

        if (!_isKept)
        {
            Directory.Delete(Folder.Root, recursive: true);
        }
    }
}
