using System.Security.Cryptography;
using Bft.Cli.Tests.Support;
using Bft.Configuration;

namespace Bft.Cli.Tests.Commands;

public sealed class InitTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Out => _directory["c"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_shortest_form_makes_a_whole_cluster()
    {
        BftResult result = await BftProcess.RunAsync("init", "--witnesses", "4", "--out", Out);

        Assert.True(result.ExitCode == 0, result.ToString());
        ClusterFile cluster = ClusterFile.Load(Path.Combine(Out, "cluster.yaml"));
        Assert.Equal(["127.0.0.1:7400", "127.0.0.1:7401", "127.0.0.1:7402", "127.0.0.1:7403"], cluster.Witnesses.Select(witness => witness.Address.Authority));
        Assert.Equal(["client"], cluster.Clients.Select(client => client.Name));
        Assert.Equal(["*"], cluster.Topics.Select(topic => topic.Pattern));
        Assert.Equal(3, result.Output.Split('\n').Count(line => line.StartsWith("  bft ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Secrets_are_for_their_owner_only()
    {
        await BftProcess.RunAsync("init", "--out", Out);

        foreach (string secret in new[] { "witness-0/witness.key", "witness-3/tls.key", "clients/client/identity.key" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Out, secret)));
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(Path.GetDirectoryName(Path.Combine(Out, secret))!));
        }
    }

    [Fact]
    public async Task Nothing_is_ever_overwritten()
    {
        await BftProcess.RunAsync("init", "--out", Out);
        Dictionary<string, string> before = Digests();

        BftResult again = await BftProcess.RunAsync("init", "--out", Out, "--witnesses", "7");

        Assert.Equal((int)ExitCode.Usage, again.ExitCode);
        Assert.Contains("nothing is ever overwritten", again.Error, StringComparison.Ordinal);
        Assert.Equal(before, Digests());
    }

    [Fact]
    public async Task What_is_in_the_way_is_named_and_nothing_is_made()
    {
        Directory.CreateDirectory(Path.Combine(Out, "witness-2"));

        BftResult result = await BftProcess.RunAsync("init", "--out", Out);

        Assert.Equal((int)ExitCode.Usage, result.ExitCode);
        Assert.Contains("witness-2", result.Error, StringComparison.Ordinal);
        Assert.Equal(["witness-2"], Directory.EnumerateFileSystemEntries(Out).Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public async Task What_cannot_be_written_leaves_no_half_cluster()
    {
        // The witnesses' paths are just short enough, those of the clients are not: it fails when half is made.
        string deep = Out;
        while (deep.Length < 4040)
        {
            deep = Path.Combine(deep, new string('d', Math.Clamp(4040 - deep.Length - 1, 1, 200)));
        }

        Directory.CreateDirectory(deep);
        string tooLong = new('x', 64);

        BftResult result = await BftProcess.RunAsync("init", "--out", deep, "--client", tooLong);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(deep));
    }

    [Fact]
    public async Task Hosts_ports_and_clients_can_be_chosen()
    {
        BftResult result = await BftProcess.RunAsync(
            "init", "--out", Out, "--json", "--name", "rates", "--port", "9000", "--host", "a.example", "--host", "b.example", "--host", "::1", "--host", "10.0.0.4", "--client", "alice", "--client", "bob");

        Assert.True(result.ExitCode == 0, result.ToString());
        ClusterFile cluster = ClusterFile.Load(Path.Combine(Out, "cluster.yaml"));
        Assert.Equal(["a.example:9000", "b.example:9000", "[::1]:9000", "10.0.0.4:9000"], cluster.Witnesses.Select(witness => witness.Address.Authority));
        Assert.Equal("cluster", result.Events[0].GetProperty("event").GetString());
        Assert.Equal(cluster.Genesis.Cluster.ToString(), result.Events[0].GetProperty("cluster").GetString());
        Assert.Equal(["alice", "bob"], result.Events[0].GetProperty("clients").EnumerateArray().Select(name => name.GetString()!));
    }

    [Fact]
    public async Task Witnesses_have_Unix_sockets_where_they_are_asked_for()
    {
        Assert.Equal(0, (await BftProcess.RunAsync("init", "--out", Out, "--unix", "/run/bft/")).ExitCode);
        Assert.Equal(["/run/bft/w0.sock", "/run/bft/w1.sock", "/run/bft/w2.sock", "/run/bft/w3.sock"], ClusterFile.Load(Path.Combine(Out, "cluster.yaml")).Witnesses.Select(witness => witness.Socket));

        BftResult refused = await BftProcess.RunAsync("init", "--out", Out + "2", "--unix", "/" + new string('a', 100));
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--unix: the path of a Unix socket has at most 107 bytes", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out + "2"));
    }

    private Dictionary<string, string> Digests() => Directory.EnumerateFiles(Out, "*", SearchOption.AllDirectories)
        .ToDictionary(path => path, path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
}
