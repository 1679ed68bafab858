using System.Diagnostics;
using System.Globalization;
using Bft.Bench.Running;

namespace Bft.Bench.Peers;

/// <summary>Three NATS servers with JetStream, on free ports of 127.0.0.1, in a temporary folder. Leaves nothing behind.</summary>
internal sealed class NatsServers : IAsyncDisposable
{
    private const int Count = 3;
    private const string Flushed = "sync_interval: always";
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);

    private readonly string _root = Directory.CreateTempSubdirectory("bft-bench-nats-").FullName;
    private readonly int[] _ports = FreePorts.Take(2 * Count);
    private readonly List<ServerProcess> _servers = [];

    private NatsServers()
    {
    }

    /// <summary>The program; null where it is not installed.</summary>
    public static string? Program => ServerProcess.Find("nats-server");

    public IEnumerable<int> Ids => _servers.SelectMany(server => server.Ids());

    public static async Task<NatsServers> StartAsync(bool isFlushed, CancellationToken cancellationToken)
    {
        NatsServers servers = new();
        try
        {
            for (int index = 0; index < Count; index++)
            {
                string file = Path.Combine(servers._root, $"{NameOf(index)}.conf");
                await File.WriteAllTextAsync(file, servers.ConfigurationOf(index, isFlushed), cancellationToken);
                servers._servers.Add(ServerProcess.Start(Program!, ["-c", file], new Dictionary<string, string>(StringComparer.Ordinal), Path.ChangeExtension(file, "log")));
            }

            await Task.WhenAll(servers._servers.Select((server, index) => server.WhenListeningAsync(servers._ports[index], StartTime, cancellationToken)));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it calls itself.</summary>
    public static Task<string> VersionAsync(CancellationToken cancellationToken) => SaidAsync(["--version"], cancellationToken);

    /// <summary>Whether this version can be told to flush before it acks.</summary>
    public static async Task<bool> CanFlushAsync(CancellationToken cancellationToken)
    {
        string folder = Directory.CreateTempSubdirectory("bft-bench-nats-").FullName;
        try
        {
            string file = Path.Combine(folder, "test.conf");
            await File.WriteAllTextAsync(file, $$"""jetstream { store_dir: "{{folder}}", {{Flushed}} }""" + "\n", cancellationToken);
            return (await SaidAsync(["-t", "-c", file], cancellationToken)).Contains("is valid", StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Where the server of this name takes clients.</summary>
    public int PortOf(string name) => _ports[Enumerable.Range(0, Count).First(index => NameOf(index) == name)];

    /// <summary>Where the first takes clients.</summary>
    public int AnyPort => _ports[0];

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_servers.Select(server => server.DisposeAsync().AsTask()));
        Directory.Delete(_root, recursive: true);
    }

    private static string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"nats{index}");

    private static async Task<string> SaidAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        using Process process = Process.Start(new ProcessStartInfo(Program!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        string text = await process.StandardOutput.ReadToEndAsync(cancellationToken) + await errors;
        await process.WaitForExitAsync(cancellationToken);
        return text.Trim();
    }

    private string ConfigurationOf(int index, bool isFlushed)
    {
        IEnumerable<string> routes = Enumerable.Range(0, Count).Select(other => string.Create(CultureInfo.InvariantCulture, $"nats-route://127.0.0.1:{_ports[Count + other]}"));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            server_name: {{NameOf(index)}}
            listen: 127.0.0.1:{{_ports[index]}}
            jetstream {
              store_dir: "{{Path.Combine(_root, NameOf(index))}}"
              max_memory_store: 1GB
              max_file_store: 100GB
              {{(isFlushed ? Flushed : "")}}
            }
            cluster {
              name: bench
              listen: 127.0.0.1:{{_ports[Count + index]}}
              routes: [ {{string.Join(", ", routes)}} ]
            }

            """);
    }
}
