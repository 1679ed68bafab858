using System.CommandLine;
using System.Globalization;
using Bft.Cli.Clusters;
using Bft.Cli.Output;
using Bft.Configuration;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Cli.Commands;

/// <summary>`bft init`: a new cluster's keys, certificates, identities and cluster.yaml.</summary>
internal static class InitCommand
{
    private static readonly Option<int> Witnesses = new("--witnesses", "-n")
    {
        HelpName = "N",
        Description = $"Witnesses, from {CommitteeSize.Min} to {CommitteeSize.Max}; of n, (n − 1) / 3 may fail in any way.",
        DefaultValueFactory = _ => CommitteeSize.Min,
    };

    private static readonly Option<string> Out = new("--out", "-o")
    {
        HelpName = "DIR",
        Description = "Where to; nothing in it is overwritten.",
        DefaultValueFactory = _ => "cluster",
    };

    private static readonly Option<string> Name = new("--name")
    {
        HelpName = "NAME",
        Description = "The cluster's name, part of its id.",
        DefaultValueFactory = _ => "bft",
    };

    private static readonly Option<string[]> Host = new("--host")
    {
        HelpName = "HOST",
        Description = "Where the witnesses listen. Once: all there, on ports that follow one another. Once per witness: each on --port.",
        DefaultValueFactory = _ => ["127.0.0.1"],
    };

    private static readonly Option<int> Port = new("--port")
    {
        HelpName = "PORT",
        Description = "The first witness's port.",
        DefaultValueFactory = _ => 7400,
    };

    private static readonly Option<string?> Unix = new("--unix")
    {
        HelpName = "DIR",
        Description = "Each witness also has a Unix socket, DIR/wI.sock, for parties on its host. Only the witness's user may write to DIR. Default: none has.",
    };

    private static readonly Option<string[]> Client = new("--client")
    {
        HelpName = "NAME",
        Description = "An identity to make, for publishing and receiving; may be given more than once.",
        DefaultValueFactory = _ => ["client"],
    };

    public static Command Create(Interruption interruption)
    {
        Command command = new("init", "Make a new cluster: keys, TLS certificates, client identities and cluster.yaml.")
        {
            Witnesses, Out, Name, Host, Port, Unix, Client,
        };
        HelpWithExamples.Add(command, """
            Examples:
              bft init --witnesses 4 --out cluster
              bft init --out cluster --host w0.example --host w1.example --host w2.example --host w3.example
              bft init --out cluster --client alice --client bob
              bft init --out cluster --unix /run/bft
            """);
        Session.Bind(command, interruption, session => Task.FromResult(Run(session)));
        return command;
    }

    private static ExitCode Run(Session session)
    {
        string directory = session.Get(Out);
        ClusterFolder folder = new(Path.Combine(directory, ClusterFolder.ClusterFileName));
        Uri[] addresses = Addresses(session.Get(Witnesses), session.Get(Host), session.Get(Port));
        string[] clients = Clients(session.Get(Client));
        string name = session.Get(Name);
        if (Topic.WhyIllegal(name) is not null)
        {
            throw new CommandException(ExitCode.Usage, "--name has 1 to 255 bytes and no control characters.");
        }

        ClusterFile file = ClusterMaker.Make(folder, name, addresses, clients, Sockets(session.Get(Unix)));
        if (session.IsJson)
        {
            session.Json.Write("cluster", fields =>
            {
                fields.WriteString("cluster", file.Genesis.Cluster.ToString());
                fields.WriteString("file", folder.ClusterFilePath);
                fields.WriteNumber("witnesses", addresses.Length);
                fields.WriteNumber("quorum", file.Committee.Size.Quorum);
                fields.WriteStartArray("clients");
                Array.ForEach(clients, fields.WriteStringValue);
                fields.WriteEndArray();
            });
            return ExitCode.Ok;
        }

        CommitteeSize size = file.Committee.Size;
        session.Say($"""
            Made a cluster in {directory}: of {size.Count} witnesses {size.Quorum} make a quorum, {size.FaultyMax} may fail.
              cluster.yaml        who is who, for every party; holds no secret
              {$"witness-0 … {size.Count - 1}",-18}  keys; give each directory to its own machine
              {"clients/" + clients[0] + (clients.Length > 1 ? " …" : ""),-18}  identity.key, for publishing and receiving
            Its id is {file.Genesis.Cluster}

            Next, the first line once for each witness (--index 0 to {size.Count - 1}):
              {Screen.Program} node --cluster {folder.ClusterFilePath} --index 0
              {Screen.Program} publish news --cluster {folder.ClusterFilePath} --message hello
              {Screen.Program} subscribe news --cluster {folder.ClusterFilePath} --from earliest
            """);
        return ExitCode.Ok;
    }

    private static Uri[] Addresses(int witnesses, string[] hosts, int port)
    {
        if (witnesses is < CommitteeSize.Min or > CommitteeSize.Max)
        {
            throw new CommandException(ExitCode.Usage, $"--witnesses is from {CommitteeSize.Min} to {CommitteeSize.Max}: fewer cannot bear one that fails in any way.");
        }

        if (hosts.Length != 1 && hosts.Length != witnesses)
        {
            throw new CommandException(ExitCode.Usage, $"--host is given once, or once per witness ({witnesses} times), but not {hosts.Length} times.");
        }

        int last = hosts.Length == 1 ? port + witnesses - 1 : port;
        if (port < 1 || last > ushort.MaxValue)
        {
            throw new CommandException(ExitCode.Usage, $"--port: the ports {port} to {last} are not all from 1 to 65535.");
        }

        return [.. Enumerable.Range(0, witnesses).Select(index => hosts.Length == 1 ? Address(hosts[0], port + index) : Address(hosts[index], port))];
    }

    private static Func<int, string>? Sockets(string? directory)
    {
        if (directory is not { Length: > 0 })
        {
            return directory is null ? null : throw new CommandException(ExitCode.Usage, "--unix names a directory.");
        }

        string full = Path.GetFullPath(directory);
        return WitnessEntry.WhyNoSocket(SocketOf(CommitteeSize.Max)) is { } problem ? throw new CommandException(ExitCode.Usage, $"--unix: {problem}.") : SocketOf;

        string SocketOf(int index) => Path.Combine(full, string.Create(CultureInfo.InvariantCulture, $"w{index}.sock"));
    }

    private static Uri Address(string host, int port) =>
        Uri.CheckHostName(host) is UriHostNameType.Unknown or UriHostNameType.Basic
            ? throw new CommandException(ExitCode.Usage, $"--host: '{host}' is no host; write a name or an address without port.")
            : new UriBuilder(Uri.UriSchemeHttps, host, port).Uri;

    private static string[] Clients(string[] names)
    {
        foreach (string name in names)
        {
            if (name.Length is 0 or > 64 || name.StartsWith('.') || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.'))
            {
                throw new CommandException(ExitCode.Usage, $"--client: '{name}' is no name for a client; write up to 64 letters, digits, '-', '_' and '.'.");
            }
        }

        return names.Distinct(StringComparer.Ordinal).Count() == names.Length ? names : throw new CommandException(ExitCode.Usage, "--client: a name stands twice.");
    }
}
