using System.Net.Sockets;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Verification;
using Grpc.Core;

namespace Bft.Node.Tests.Operations;

/// <summary>A witness's Unix socket: who may open it, what a hello on it says, and what becomes of its file.</summary>
public sealed class WitnessSocketTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly LocalCluster _cluster = new(hasSockets: true);

    private string Place => _cluster.SocketOf(0);

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task It_is_for_user_and_group_and_gone_with_the_witness()
    {
        RunningWitness witness = await _cluster.StartAsync(0);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(Place));
        Assert.Contains($"in plain text for those that its folder and group let in, on unix:{Place}", witness.Log, StringComparison.Ordinal);
        using (TestConnection connection = new(_cluster, 0, isLocal: true))
        {
            Assert.Equal(_cluster.Committee.Size.Count - 1, (await connection.StatusAsync(_cluster.Reader)).Peers.Count);
        }

        await _cluster.StopAsync(0);
        Assert.False(Path.Exists(Place));
    }

    [Fact]
    public async Task A_hello_by_TLS_is_worth_nothing_on_it_and_one_on_it_nothing_by_TLS()
    {
        await _cluster.StartAsync(0);
        Digest pin = _cluster.File.Witnesses[0].Pin;
        await RefusedAsync(isLocal: true, _cluster.Reader, StatusCode.Unauthenticated, statement => statement with { Pin = pin });
        await RefusedAsync(isLocal: false, _cluster.Reader, StatusCode.Unauthenticated, statement => statement with { Pin = default });
    }

    [Fact]
    public async Task A_stranger_is_refused_on_it_as_by_TLS()
    {
        await _cluster.StartAsync(0);
        await RefusedAsync(isLocal: true, _cluster.Stranger, StatusCode.PermissionDenied, statement => statement);
    }

    [Fact]
    public async Task Who_misbehaves_on_it_is_counted_by_user()
    {
        RunningWitness witness = await _cluster.StartAsync(0, options => options with { Edge = options.Edge with { OffencesMax = 2 * Offence.Hostile } });
        for (int i = 0; i < 3; i++)
        {
            await RefusedAsync(isLocal: true, _cluster.Reader, StatusCode.Unauthenticated, statement => statement with { Nonce = default });
        }

        await witness.WhenLogged("address unix:user-");
    }

    [Fact]
    public async Task Peers_on_one_host_speak_over_it_and_go_on_by_TLS_when_it_is_gone()
    {
        await _cluster.StartAsync(0);
        RunningWitness second = await _cluster.StartAsync(1);
        await second.WhenLogged("connected to peer 0 on its socket");
        await _cluster[0].WhenLogged("connected to peer 1 on its socket");

        await _cluster.StopAsync(0);
        await WithoutSocketAsync(0);
        await _cluster.StartAsync(0);
        using CancellationTokenSource patience = new(LocalCluster.Patience);
        using PeriodicTimer look = new(TimeSpan.FromMilliseconds(20));
        while (!second.Log.Contains("connected to peer 0\n", StringComparison.Ordinal))
        {
            await look.WaitForNextTickAsync(patience.Token);
        }
    }

    [Fact]
    public async Task What_a_killed_process_left_is_replaced()
    {
        string first = Place + ".first";
        using (Socket left = Listen(first))
        {
            File.Move(first, Place); // the framework removes the file of a socket that it closes
        }

        Assert.True(Path.Exists(Place));
        await _cluster.StartAsync(0);
        using TestConnection connection = new(_cluster, 0, isLocal: true);
        await connection.StatusAsync(_cluster.Reader);
    }

    [Fact]
    public async Task What_another_process_listens_on_is_left_alone()
    {
        using Socket other = Listen(Place);
        await FailsAsync(NodeExitCode.PortTaken, $"listens on unix:{Place}");
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(Place)); // still
    }

    [Fact]
    public async Task What_is_no_socket_is_left_alone()
    {
        await File.WriteAllTextAsync(Place, "precious");
        await FailsAsync(NodeExitCode.Settings, "no socket");
        Assert.Equal("precious", await File.ReadAllTextAsync(Place));
    }

    [Fact]
    public async Task A_folder_that_others_write_to_is_refused()
    {
        string folder = Path.GetDirectoryName(Place)!;
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherWrite);
        await FailsAsync(NodeExitCode.Settings, $"chmod go-w '{folder}'");
        Assert.False(Path.Exists(Place));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_named()
    {
        string yaml = await File.ReadAllTextAsync(_cluster.ClusterPath);
        await File.WriteAllTextAsync(_cluster.ClusterPath, yaml.Replace(Place, "/nowhere/w0.sock", StringComparison.Ordinal));
        await FailsAsync(NodeExitCode.Settings, "mkdir -m 0750 '/nowhere'");
    }

    private static Socket Listen(string place)
    {
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(place));
        listener.Listen();
        return listener;
    }

    private async Task WithoutSocketAsync(int index)
    {
        string yaml = await File.ReadAllTextAsync(_cluster.ClusterPath);
        await File.WriteAllTextAsync(_cluster.ClusterPath, yaml.Replace($"    unix: \"{_cluster.SocketOf(index)}\"\n", "", StringComparison.Ordinal));
    }

    private async Task RefusedAsync(bool isLocal, Ed25519Signer signer, StatusCode code, Func<HelloStatement, HelloStatement> change)
    {
        using TestConnection connection = new(_cluster, 0, isLocal);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => connection.OpenAsync(connection.Witness.Status(new CallOptions()), signer, change));
        Assert.Equal(code, refused.StatusCode);
    }

    private async Task FailsAsync(int exitCode, string part)
    {
        NodeFailure failure = await Assert.ThrowsAsync<NodeFailure>(() => NodeHost.RunAsync(_cluster.OptionsOf(0) with { Log = TextWriter.Null }, CancellationToken.None).WaitAsync(LocalCluster.Patience));
        Assert.Equal(exitCode, failure.ExitCode);
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }
}
