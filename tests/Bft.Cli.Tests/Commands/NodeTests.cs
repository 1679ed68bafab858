using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

public sealed class NodeTests : IDisposable
{
    private readonly TestCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task It_says_that_it_is_ready_and_ends_cleanly_on_SIGTERM()
    {
        await _cluster.StartAsync(1);

        _cluster.Witness(1).Terminate();
        BftResult result = await _cluster.Witness(1).EndAsync();

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("stopped at mark", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_ends_with_the_input_of_whoever_started_it_so()
    {
        await _cluster.StartAsync(0);

        _cluster.Witness(0).Input.Close();

        Assert.Equal(0, (await _cluster.Witness(0).EndAsync()).ExitCode);
    }

    [Theory]
    [InlineData("4", "witnesses 0 to 3")]
    [InlineData("-1", "witnesses 0 to 3")]
    public async Task A_witness_that_is_not_there_is_a_setting(string index, string problem)
    {
        BftResult result = await _cluster.RunAsync("node", "--index", index);

        Assert.Equal((int)ExitCode.NodeSettings, result.ExitCode);
        Assert.Contains(problem, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_file_a_bad_address_and_a_missing_index_are_settings()
    {
        string yaml = _cluster.Write("bad.yaml", "cluster: x\nnonsense: 1\n"u8);

        BftResult file = await BftProcess.RunAsync("node", "--cluster", yaml, "--key", _cluster.Folder.WitnessKey(0));
        BftResult address = await _cluster.RunAsync("node", "--index", "0", "--listen", "somewhere");
        BftResult index = await _cluster.RunAsync("node");

        Assert.Equal((int)ExitCode.NodeSettings, file.ExitCode);
        Assert.Contains("nonsense", file.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.NodeSettings, address.ExitCode);
        Assert.Equal((int)ExitCode.NodeSettings, index.ExitCode);
    }

    [Fact]
    public async Task A_key_that_is_foreign_or_open_to_others_is_refused()
    {
        using TestCluster other = new();

        BftResult foreign = await _cluster.RunAsync("node", "--key", other.Folder.WitnessKey(0));
        File.SetUnixFileMode(_cluster.Folder.WitnessKey(0), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        BftResult open = await _cluster.RunAsync("node", "--index", "0");

        Assert.Equal((int)ExitCode.NodeKey, foreign.ExitCode);
        Assert.Equal((int)ExitCode.NodeKey, open.ExitCode);
        Assert.Contains("chmod 600", open.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_or_a_directory_in_use_and_foreign_data_are_told_apart()
    {
        await _cluster.StartAsync(0);
        int port = Bft.Configuration.ClusterFile.Load(_cluster.Yaml).Witnesses[0].Address.Port;
        int free = TestCluster.FreePorts(1)[0];

        BftResult portTaken = await _cluster.RunAsync("node", "--index", "1", "--listen", $"127.0.0.1:{port}");
        BftResult dataInUse = await _cluster.RunAsync("node", "--index", "0", "--listen", $"127.0.0.1:{free}");
        _cluster.Witness(0).Terminate();
        await _cluster.Witness(0).EndAsync();
        BftResult foreignData = await _cluster.RunAsync("node", "--index", "2", "--data", Path.Combine(_cluster.Folder.WitnessDirectory(0), "data"));

        Assert.Equal((int)ExitCode.NodePortTaken, portTaken.ExitCode);
        Assert.Equal((int)ExitCode.NodeDataInUse, dataInUse.ExitCode);
        Assert.Equal((int)ExitCode.NodeForeignData, foreignData.ExitCode);
    }
}
