using System.Net;
using System.Net.Sockets;
using Bft.Node.Tests.Support;
using Bft.Storage;

namespace Bft.Node.Tests.Configuration;

/// <summary>What a witness refuses to start on, each with its exit code.</summary>
public sealed class StartUpTests : IAsyncLifetime, IAsyncDisposable
{
    private const int SecondCommit = 4096; // the first one is empty
    private readonly LocalCluster _cluster = new();

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_bad_cluster_file()
    {
        File.AppendAllText(_cluster.ClusterPath, "witneses: []\n");
        await FailsAsync(NodeExitCode.Settings, "witneses", _cluster.OptionsOf(0));
    }

    [Fact]
    public async Task A_key_that_others_can_read()
    {
        File.SetUnixFileMode(_cluster.OptionsOf(0).KeyFile, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        await FailsAsync(NodeExitCode.Key, "chmod 600", _cluster.OptionsOf(0));
    }

    [Fact]
    public async Task A_key_of_no_witness()
    {
        string path = _cluster.OptionsOf(0).KeyFile + "2";
        KeyFile.Create(path, new byte[KeyFile.SeedBytes]);
        await FailsAsync(NodeExitCode.Key, "no witness", _cluster.OptionsOf(0) with { KeyFile = path });
    }

    [Fact]
    public async Task A_TLS_certificate_that_is_not_the_pinned_one()
    {
        NodeOptions options = _cluster.OptionsOf(0);
        string other = Path.GetDirectoryName(_cluster.OptionsOf(1).KeyFile)!;
        await FailsAsync(NodeExitCode.Key, "pins", options with { TlsCertificateFile = Path.Combine(other, "tls.crt"), TlsKeyFile = Path.Combine(other, "tls.key") });
    }

    [Fact]
    public async Task A_port_that_is_taken()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        await FailsAsync(NodeExitCode.PortTaken, "address", _cluster.OptionsOf(0) with { Listen = (IPEndPoint)taken.LocalEndpoint });
    }

    [Fact]
    public async Task Data_of_another_witness()
    {
        await _cluster.StartAsync(0);
        await _cluster.StopAsync(0);
        await FailsAsync(NodeExitCode.ForeignData, "witness 0", _cluster.OptionsOf(1) with { DataDirectory = _cluster.DataDirectory(0) });
    }

    [Fact]
    public async Task Data_of_another_cluster()
    {
        await _cluster.StartAsync(0);
        await _cluster.StopAsync(0);
        string yaml = await File.ReadAllTextAsync(_cluster.ClusterPath);
        await File.WriteAllTextAsync(_cluster.ClusterPath, yaml.Replace(new string('0', 64), new string('1', 64), StringComparison.Ordinal));
        await FailsAsync(NodeExitCode.ForeignData, "belongs to cluster", _cluster.OptionsOf(0));
    }

    [Fact]
    public async Task A_data_directory_in_use()
    {
        await _cluster.StartAsync(0);
        await FailsAsync(NodeExitCode.DataInUse, "another process", _cluster.OptionsOf(0) with { Listen = new IPEndPoint(IPAddress.Loopback, 0) });
    }

    [Fact]
    public async Task A_damaged_journal_names_file_and_byte()
    {
        await _cluster.StartAsync(0);
        await _cluster.StopAsync(0);
        string journal = Directory.GetFiles(_cluster.DataDirectory(0), "*.journal").First(file => new FileInfo(file).Length > 0);
        using (FileStream file = File.OpenWrite(journal))
        {
            file.Position = SecondCommit + 8;
            file.WriteByte(0xFF);
        }

        await FailsAsync(NodeExitCode.JournalDamaged, Path.GetFileName(journal), _cluster.OptionsOf(0));
    }

    private static async Task FailsAsync(int exitCode, string part, NodeOptions options)
    {
        NodeFailure failure = await Assert.ThrowsAsync<NodeFailure>(() => NodeHost.RunAsync(options with { Log = TextWriter.Null }, CancellationToken.None).WaitAsync(LocalCluster.Patience));
        Assert.Equal(exitCode, failure.ExitCode);
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }
}
