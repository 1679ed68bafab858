using System.CommandLine;
using System.Net;
using Bft.Cli.Clusters;
using Bft.Cli.Output;
using Bft.Node;

namespace Bft.Cli.Commands;

/// <summary>`bft node`: runs one witness until it is told to stop.</summary>
internal static class NodeCommand
{
    private static readonly Option<int?> Index = new("--index")
    {
        HelpName = "I",
        Description = "Which witness of cluster.yaml, from 0; its keys and data are in witness-I/ beside it. Not needed with --key.",
    };

    private static readonly Option<string?> Key = new("--key")
    {
        HelpName = "FILE",
        Description = "Its Ed25519 key; tls.pem and tls.key are beside it. Default: witness-I/witness.key beside cluster.yaml.",
    };

    private static readonly Option<string?> Data = new("--data")
    {
        HelpName = "DIR",
        Description = "Its journal, made if it is missing. Default: data/ beside the key.",
    };

    private static readonly Option<string?> Listen = new("--listen")
    {
        HelpName = "IP:PORT",
        Description = "Where to listen. Default: its address in cluster.yaml.",
    };

    private static readonly Option<int> Scrub = new("--scrub")
    {
        HelpName = "MIB",
        Description = "How many MiB of its old records it reads again per second, looking for damage; 0: none. Default: 16.",
        DefaultValueFactory = _ => 16,
    };

    /// <summary>For those that start witnesses (the demo, tests): a witness without its starter would run for ever.</summary>
    private static readonly Option<bool> StopWithInput = new("--stop-with-input") { Hidden = true };

    public static Command Create(Interruption interruption)
    {
        Command command = new("node", "Run a witness.") { Options.Cluster, Index, Key, Data, Listen, Scrub, StopWithInput };
        HelpWithExamples.Add(command, """
            Examples:
              bft node --cluster cluster/cluster.yaml --index 0
              bft node --cluster cluster.yaml --key /etc/bft/witness.key --data /var/lib/bft --listen 0.0.0.0:7400

            It says "ready" on standard output once it serves, and ends cleanly, with exit code 0,
            on SIGTERM or Ctrl-C. SIGHUP makes it read cluster.yaml and its TLS certificate again.
            Failures have exit codes 30 to 37 (bft --help).
            """);
        Session.Bind(command, interruption, RunAsync);
        return command;
    }

    private static async Task<ExitCode> RunAsync(Session session)
    {
        ClusterFolder folder = ClusterFolder.Of(session);
        string key = session.Get(Key) ?? KeyOf(folder, session.Get(Index));
        string home = Path.GetDirectoryName(Path.GetFullPath(key))!;
        using TextWriter log = session.IsQuiet ? TextWriter.Null : TextWriter.Synchronized(Console.Out);
        NodeOptions options = new()
        {
            ClusterFile = folder.ClusterFilePath,
            KeyFile = key,
            TlsCertificateFile = Path.Combine(home, ClusterFolder.TlsCertificateName),
            TlsKeyFile = Path.Combine(home, ClusterFolder.TlsKeyName),
            DataDirectory = session.Get(Data) ?? Path.Combine(home, ClusterFolder.DataName),
            Listen = session.Get(Listen) is { } listen ? EndPoint(listen) : null,
            ScrubBytesPerSecond = session.Get(Scrub) is >= 0 and var rate
                ? rate * 1024L * 1024 : throw new CommandException(ExitCode.NodeSettings, "--scrub: a rate is not below 0."),
            Log = log,
        };
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(session.Interrupted);
        if (session.Get(StopWithInput))
        {
            _ = StopWithInputAsync(stop);
        }

        await NodeHost.RunAsync(options, stop.Token);
        return ExitCode.Ok;
    }

    private static string KeyOf(ClusterFolder folder, int? index)
    {
        if (index is not { } number)
        {
            throw new CommandException(ExitCode.NodeSettings, "which witness? Say --index I, or --key FILE.");
        }

        int count = folder.Load().Witnesses.Count;
        return number >= 0 && number < count
            ? folder.WitnessKey(number)
            : throw new CommandException(ExitCode.NodeSettings, $"there is no witness {number}: {folder.ClusterFilePath} has witnesses 0 to {count - 1}.");
    }

    private static IPEndPoint EndPoint(string text) =>
        IPEndPoint.TryParse(text, out IPEndPoint? endPoint) && endPoint.Port != 0
            ? endPoint
            : throw new CommandException(ExitCode.NodeSettings, $"--listen: '{text}' is no address; write IP:PORT, for instance 0.0.0.0:7400 or [::]:7400.");

    internal static async Task StopWithInputAsync(CancellationTokenSource stop)
    {
        byte[] buffer = new byte[64];
        await using Stream input = StandardDescriptors.OpenInput();
        while (await input.ReadAsync(buffer) > 0)
        {
            // What is written there says nothing; that it is open does.
        }

        await stop.CancelAsync();
    }
}
