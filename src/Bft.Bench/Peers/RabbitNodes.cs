using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bft.Bench.Running;

namespace Bft.Bench.Peers;

/// <summary>Three RabbitMQ nodes in a cluster, on free ports of 127.0.0.1, in a temporary folder, with a name service (epmd) and a cookie of their own: no service of the system is touched. Leaves nothing behind.</summary>
internal sealed class RabbitNodes : IAsyncDisposable
{
    public const int Count = 3;

    /// <summary>Debian's command on PATH changes to the system's user; this is the server's own script.</summary>
    private const string Folder = "/usr/lib/rabbitmq/bin";

    private static readonly TimeSpan StartTime = TimeSpan.FromMinutes(3);

    private readonly string _root = Directory.CreateTempSubdirectory("bft-bench-rabbitmq-").FullName;
    private readonly int[] _ports = FreePorts.Take((2 * Count) + 1);
    private readonly List<ServerProcess> _processes = [];

    private RabbitNodes()
    {
    }

    /// <summary>The program; null where it is not installed.</summary>
    public static string? Program => Path.Combine(Folder, "rabbitmq-server") is var program && File.Exists(program) && ServerProcess.Find("epmd") is not null ? program : null;

    /// <summary>As its folder says.</summary>
    public static string Version => Path.GetFileName(Directory.EnumerateDirectories("/usr/lib/rabbitmq/lib", "rabbitmq_server-*").Order(StringComparer.Ordinal).LastOrDefault()) ?? "rabbitmq-server";

    /// <summary>Where the first takes clients.</summary>
    public int Port => _ports[0];

    public IEnumerable<int> Ids => _processes.SelectMany(process => process.Ids());

    private int NamePort => _ports[2 * Count];

    public static async Task<RabbitNodes> StartAsync(CancellationToken cancellationToken)
    {
        RabbitNodes nodes = new();
        try
        {
            await nodes.PrepareAsync(cancellationToken);
            ServerProcess names = nodes.Start(ServerProcess.Find("epmd")!, ["-port", Text(nodes.NamePort), "-address", "127.0.0.1"], nodes.Shared(), "epmd");
            await names.WhenListeningAsync(nodes.NamePort, StartTime, cancellationToken);

            // They find one another by the list in rabbitmq.conf, and take clients once they have.
            ServerProcess[] started = [.. Enumerable.Range(0, Count).Select(index => nodes.Start(Program!, [], nodes.EnvironmentOf(index), NameOf(index)))];
            await Task.WhenAll(started.Select((node, index) => node.WhenListeningAsync(nodes._ports[index], StartTime, cancellationToken)));
            return nodes;
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }
    }

    /// <summary>On how many nodes a quorum queue is.</summary>
    public async Task<int> MembersAsync(string queue, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(Path.Combine(Folder, "rabbitmqctl"), ["-n", NameOf(0), "-q", "--formatter", "json", "list_queues", "name", "online"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in Shared())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        string json = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        string problem = await errors;
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new PeerFailedException($"rabbitmqctl: {problem.Trim().ReplaceLineEndings(" ")}");
        }

        using JsonDocument queues = JsonDocument.Parse(json);
        return queues.RootElement.EnumerateArray().Where(one => one.GetProperty("name").GetString() == queue).Sum(one => one.GetProperty("online").GetArrayLength());
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_processes.Select(process => process.DisposeAsync().AsTask()));
        Directory.Delete(_root, recursive: true);
    }

    private static string NameOf(int index) => $"bft{Text(index)}@localhost";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private ServerProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, string name)
    {
        ServerProcess process = ServerProcess.Start(program, arguments, environment, Path.Combine(_root, $"{name}.log"));
        _processes.Add(process);
        return process;
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        string cookie = Path.Combine(_root, ".erlang.cookie");
        await File.WriteAllTextAsync(cookie, $"{Guid.NewGuid():N}", cancellationToken);
        File.SetUnixFileMode(cookie, UnixFileMode.UserRead);
        await File.WriteAllTextAsync(Path.Combine(_root, "enabled_plugins"), "[].\n", cancellationToken);
        IEnumerable<string> nodes = Enumerable.Range(0, Count).Select(index => $"cluster_formation.classic_config.nodes.{Text(index + 1)} = {NameOf(index)}\n");
        await File.WriteAllTextAsync(Path.Combine(_root, "rabbitmq.conf"), "cluster_formation.peer_discovery_backend = classic_config\n" + string.Concat(nodes), cancellationToken);
    }

    private Dictionary<string, string> Shared() => new(StringComparer.Ordinal)
    {
        ["HOME"] = _root, // where the cookie is
        ["LC_ALL"] = "C.UTF-8",
        ["ERL_EPMD_PORT"] = Text(NamePort),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(_root, "none"), // not the system's
    };

    private Dictionary<string, string> EnvironmentOf(int index) => new(Shared(), StringComparer.Ordinal)
    {
        ["RABBITMQ_NODENAME"] = NameOf(index),
        ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODE_PORT"] = Text(_ports[index]),
        ["RABBITMQ_DIST_PORT"] = Text(_ports[Count + index]),
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(_root, "data"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(_root, "log"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(_root, "rabbitmq.conf"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(_root, "none"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(_root, "enabled_plugins"),
    };
}
