using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Bft.Bench.Faults;
using Bft.Bench.Measuring;
using Bft.Client;
using Bft.Configuration;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Bench.Running;

/// <summary>A cluster for a measurement: a temporary folder, one process per witness, TLS and flushes as by default. Leaves nothing behind.</summary>
internal sealed partial class BenchCluster : IAsyncDisposable
{
    public static readonly Topic Topic = new("bench");

    /// <summary>Bodies that a witness keeps: a long run must not fill the disk. Unit: bytes.</summary>
    internal const long RetainBytes = 2L * 1024 * 1024 * 1024;

    /// <summary>What may be under way: the batches of a publisher's pipeline and of a few commits.</summary>
    private const ulong NearBatches = 32;

    private static readonly TimeSpan StatusPause = TimeSpan.FromMilliseconds(100);

    private readonly string _root = Directory.CreateTempSubdirectory("bft-bench-").FullName;
    private readonly WitnessProcess?[] _witnesses;
    private readonly int[] _ports; // where each listens
    private readonly List<DelayProxy> _proxies = [];
    private readonly List<BftClient> _clients = [];

    private BenchCluster(int count)
    {
        _witnesses = new WitnessProcess?[count];
        _ports = FreePorts.Take(count);
    }

    public ClusterFile File { get; private set; } = null!;

    public int Count => _witnesses.Length;

    /// <summary>The witness that faults happen to: the last one. Its links can be slowed down.</summary>
    public int Odd => Count - 1;

    public string ClusterPath => Path.Combine(_root, "cluster.yaml");

    /// <summary>What the odd witness is told: the others are where its slow links begin.</summary>
    public string OddClusterPath => Path.Combine(_root, "odd.yaml");

    /// <summary>For what is written beside the witnesses' own files; goes with them.</summary>
    public string Scratch => Path.Combine(_root, "scratch");

    public string DirectoryOf(int witness) => Path.Combine(_root, string.Create(CultureInfo.InvariantCulture, $"witness-{witness}"));

    /// <summary>Where the odd witness listens, whatever cluster.yaml says.</summary>
    public string OddListen => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_ports[Odd]}");

    /// <summary>Null where it was killed.</summary>
    public IReadOnlyList<WitnessProcess?> Witnesses => _witnesses;

    /// <summary>Makes a cluster and starts its witnesses.</summary>
    /// <param name="count">Witnesses.</param>
    /// <param name="hasSlowLinks">All that the odd witness says and hears passes proxies; see <see cref="SetDelay"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="publishers">Identities that publish; see <see cref="PublisherName"/>.</param>
    /// <param name="receivers">Identities that receive; see <see cref="ReceiverName"/>.</param>
    /// <param name="hasSockets">All parties speak over Unix sockets.</param>
    public static async Task<BenchCluster> StartAsync(int count, bool hasSlowLinks, CancellationToken cancellationToken, int publishers = 1, int receivers = 1, bool hasSockets = false)
    {
        BenchCluster cluster = new(count);
        try
        {
            await cluster.MakeAsync(hasSlowLinks, hasSockets, [.. Enumerable.Range(0, publishers).Select(PublisherName), .. Enumerable.Range(0, receivers).Select(ReceiverName)], cancellationToken);
            for (int index = 0; index < count; index++)
            {
                cluster.Start(index);
            }

            await Task.WhenAll(cluster._witnesses.Select(witness => witness!.WhenReadyAsync(cancellationToken)));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public static string PublisherName(int index) => string.Create(CultureInfo.InvariantCulture, $"publisher-{index}");

    public static string ReceiverName(int index) => string.Create(CultureInfo.InvariantCulture, $"receiver-{index}");

    /// <summary>A client under one of the cluster's identities; disposed with the cluster.</summary>
    public BftClient Connect(string name)
    {
        BftClient client = BftClient.Connect(new BftClientOptions { Cluster = File, KeyFile = Path.Combine(_root, "clients", name, "identity.key") });
        _clients.Add(client);
        return client;
    }

    /// <summary>Used so far by the witnesses that run, and by this process.</summary>
    public double CpuSeconds() => ProcessUsage.CpuSecondsOf(_witnesses.OfType<WitnessProcess>().Select(witness => witness.Id).Append(Environment.ProcessId));

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(int index)
    {
        if (_witnesses[index] is { } witness)
        {
            _witnesses[index] = null;
            await witness.KillAsync();
            witness.Dispose();
        }
    }

    public async Task RestartAsync(int index, CancellationToken cancellationToken)
    {
        await KillAsync(index);
        Start(index);
        await _witnesses[index]!.WhenReadyAsync(cancellationToken);
    }

    /// <summary>Puts another program in a witness's place.</summary>
    public async Task ReplaceAsync(int index, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        await KillAsync(index);
        _witnesses[index] = WitnessProcess.Start(index, arguments);
        await _witnesses[index]!.WhenReadyAsync(cancellationToken);
    }

    /// <summary>The run that a witness is in, as it says.</summary>
    public async Task<Run> RunOfAsync(int index, CancellationToken cancellationToken) =>
        (await _clients[^1].GetStatusAsync(cancellationToken))[index].Status?.Run ?? throw new InvalidOperationException($"Witness {index} does not answer.");

    /// <summary>How long everything that the odd witness says, and that it is told, is under way; each way. Needs slow links.</summary>
    public void SetDelay(TimeSpan delay) => _proxies.ForEach(proxy => proxy.Delay = delay);

    /// <summary>Waits until every witness that runs stores what any of them stores, and they talk to one another: one that was hostile may be banned for a while.</summary>
    public async Task WhenLevelAsync(BftClient client, CancellationToken cancellationToken)
    {
        while (!IsLevel(await client.GetStatusAsync(cancellationToken)))
        {
            await Task.Delay(StatusPause, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Task.WhenAll(_clients.Select(client => client.DisposeAsync().AsTask()));
        }
        finally
        {
            // Their data goes too, so there is nothing to save.
            for (int index = 0; index < Count; index++)
            {
                await KillAsync(index);
            }

            foreach (DelayProxy proxy in _proxies)
            {
                await proxy.DisposeAsync();
            }

            Directory.Delete(_root, recursive: true);
        }
    }

    /// <summary>Whether a witness stores all but a few of the batches that the others store.</summary>
    public static bool IsNear(WitnessHealth[] answers, int witness)
    {
        static ulong TipOf(WitnessHealth answer) => answer.Status?.Streams.Max(stream => stream.Tip?.Value) ?? 0;
        return TipOf(answers[witness]) is > 0 and ulong tip && tip + NearBatches >= answers.Max(TipOf);
    }

    private bool IsLevel(WitnessHealth[] answers)
    {
        StatusFrame?[] states = [.. answers.Where(answer => _witnesses[answer.Witness.Value] is not null).Select(answer => answer.Status)];
        IEnumerable<Sequence?> TipsOf(StreamId stream) => states.Select(state => state!.Streams.FirstOrDefault(one => one.Stream == stream)?.Tip);
        return states.All(state => state?.State == WitnessState.Serving)
            && states.SelectMany(state => state!.Peers).All(peer => peer.IsConnected || _witnesses[peer.Witness.Value] is null)
            && states.SelectMany(state => state!.Streams).Select(stream => stream.Stream).Distinct().All(stream => TipsOf(stream).Distinct().Count() == 1);
    }

    private async Task MakeAsync(bool hasSlowLinks, bool hasSockets, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        IEnumerable<string> clients = names.SelectMany(name => new[] { "--client", name });
        using Process init = Process.Start(BftProgram.Start(["init", "--witnesses", string.Create(CultureInfo.InvariantCulture, $"{Count}"), "--out", _root, .. clients]))!;
        _ = init.StandardOutput.ReadToEndAsync(cancellationToken);
        string problem = await init.StandardError.ReadToEndAsync(cancellationToken);
        await init.WaitForExitAsync(cancellationToken);
        if (init.ExitCode != 0)
        {
            throw new InvalidOperationException($"bft init failed: {problem}");
        }

        // Neither addresses nor topics are part of the cluster's id.
        string yaml = await System.IO.File.ReadAllTextAsync(ClusterPath, cancellationToken);
        yaml = yaml.Replace("\"*\":\n", string.Create(CultureInfo.InvariantCulture, $"\"*\":\n    retainBytes: {RetainBytes}\n"), StringComparison.Ordinal);
        yaml += EdgeFor(names.Count);
        int[] toOdd = hasSlowLinks ? FreePorts.Take(Count) : _ports;
        await System.IO.File.WriteAllTextAsync(ClusterPath, WithPorts(yaml, [.. _ports[..Odd], toOdd[Odd]], hasSockets), cancellationToken);
        await System.IO.File.WriteAllTextAsync(OddClusterPath, WithPorts(yaml, [.. toOdd[..Odd], _ports[Odd]], hasSockets), cancellationToken);
        File = ClusterFile.Load(ClusterPath);
        if (File.PolicyFor(Topic)?.RetainBytes != RetainBytes)
        {
            throw new InvalidOperationException("The cluster.yaml that bft init made has no policy to limit.");
        }

        if (hasSlowLinks)
        {
            _proxies.AddRange(toOdd.Select((port, index) => new DelayProxy(port, _ports[index])));
        }
    }

    /// <summary>All parties are behind one address: where the usual share of one does not hold them, as whoever runs that many would write it.</summary>
    private string EdgeFor(int clients)
    {
        int connections = (2 * clients) + (4 * Count); // a party that receives has two, a peer at most two each way
        return connections <= EdgePolicy.ConnectionsByDefault / 2 ? "" : string.Create(CultureInfo.InvariantCulture, $"\nedge:\n  connectionsMax: {2 * connections}\n");
    }

    private void Start(int index) => _witnesses[index] = index == Odd
        ? WitnessProcess.Start(index, "node", "--cluster", OddClusterPath, "--key", Path.Combine(DirectoryOf(index), "witness.key"), "--listen", OddListen, "--stop-with-input")
        : WitnessProcess.Start(ClusterPath, index);

    private string WithPorts(string yaml, int[] ports, bool hasSockets)
    {
        int next = 0;
        return Address().Replace(yaml, _ =>
        {
            string socket = hasSockets ? string.Create(CultureInfo.InvariantCulture, $"\n    unix: {Path.Combine(_root, "w")}{next}.sock") : "";
            return string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{ports[next++]}{socket}");
        });
    }

    [GeneratedRegex(@"https://127\.0\.0\.1:\d+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();
}
