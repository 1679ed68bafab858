using System.Net;
using System.Net.Sockets;
using Bft.Cli.Clusters;

namespace Bft.Cli.Tests.Support;

/// <summary>A cluster's folder, made as `bft init` makes it, and as many of its witnesses as a test starts.</summary>
public sealed class TestCluster : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<int, BftProcess> _witnesses = [];

    public TestCluster(params string[] clients)
    {
        Folder = new ClusterFolder(_directory["cluster/cluster.yaml"]);
        ClusterMaker.Make(Folder, "test", [.. FreePorts(4).Select(port => new Uri($"https://127.0.0.1:{port}"))], clients.Length == 0 ? ["client"] : clients);
    }

    internal ClusterFolder Folder { get; }

    public string Yaml => Folder.ClusterFilePath;

    public string Root => _directory.Root;

    public string this[string name] => _directory[name];

    public string Write(string name, ReadOnlySpan<byte> content) => _directory.Write(name, content);

    public async Task StartAsync(params int[] indices)
    {
        foreach (int index in indices)
        {
            _witnesses[index] = BftProcess.Start("node", "--cluster", Yaml, "--index", index.ToString(System.Globalization.CultureInfo.InvariantCulture), "--stop-with-input");
        }

        await Task.WhenAll(indices.Select(index => _witnesses[index].SeenAsync(" ready ")));
    }

    public BftProcess Witness(int index) => _witnesses[index];

    public Task<BftResult> RunAsync(params string[] arguments) => BftProcess.RunAsync([.. arguments, "--cluster", Yaml]);

    public Task<BftResult> RunAsync(ReadOnlyMemory<byte> input, params string[] arguments) => BftProcess.RunAsync(input, [.. arguments, "--cluster", Yaml]);

    public void Dispose()
    {
        foreach (BftProcess witness in _witnesses.Values)
        {
            witness.Dispose();
        }

        _directory.Dispose();
    }

    /// <summary>Held until all are known, so that no two are the same.</summary>
    public static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        Array.ForEach(listeners, listener => listener.Start());
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        Array.ForEach(listeners, listener => listener.Dispose());
        return ports;
    }
}

/// <summary>Four witnesses that all tests of a class share.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    public TestCluster Cluster { get; } = new();

    public Task InitializeAsync() => Cluster.StartAsync(0, 1, 2, 3);

    public Task DisposeAsync()
    {
        Cluster.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>Classes whose tests use the four witnesses.</summary>
[CollectionDefinition(Name)]
public sealed class RunningClusterCollection : ICollectionFixture<RunningCluster>
{
    public const string Name = "running cluster";
}
