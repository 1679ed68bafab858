using System.CommandLine;
using Bft.Client;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Cli.Clusters;

/// <summary>A client of the cluster that the options name, under the identity that they name.</summary>
internal sealed class Connection : IAsyncDisposable
{
    /// <summary>Of the commands that ask every witness once; see <see cref="OpenToAsk"/>.</summary>
    public static readonly Option<TimeSpan?> AnswerTime = Options.Timeout("How long a witness may take to answer. Default: 3s.");

    private static readonly TimeSpan AnswerTimeDefault = TimeSpan.FromSeconds(3);

    private Connection(ClusterFile cluster, BftClient client, WitnessWatch watch, EvidenceFolder evidence)
    {
        Cluster = cluster;
        Client = client;
        Watch = watch;
        Evidence = evidence;
    }

    public ClusterFile Cluster { get; }

    public BftClient Client { get; }

    public WitnessWatch Watch { get; }

    public EvidenceFolder Evidence { get; }

    public static Connection Open(Session session, TimeSpan? connectTimeout = null)
    {
        ClusterFolder folder = ClusterFolder.Of(session);
        ClusterFile cluster = folder.Load();
        string identity = folder.Identity(session);
        EvidenceFolder evidence = new(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(identity))!, "evidence"));
        WitnessWatch watch = new(session, cluster, evidence);
        BftClientOptions options = new() { Cluster = cluster, KeyFile = identity, OnNotice = watch.On };
        return new Connection(cluster, BftClient.Connect(connectTimeout is { } timeout ? options with { ConnectTimeout = timeout } : options), watch, evidence);
    }

    /// <summary>The same, for a command with <see cref="AnswerTime"/>.</summary>
    public static Connection OpenToAsk(Session session)
    {
        TimeSpan limit = session.Get(AnswerTime) ?? AnswerTimeDefault;
        return Open(session, TimeSpan.FromMilliseconds(Math.Clamp(limit.TotalMilliseconds, 100, 60_000)));
    }

    /// <summary>A topic that some policy covers.</summary>
    /// <exception cref="CommandException">It is no topic's name, or no policy covers it.</exception>
    public Topic Topic(string name)
    {
        if (Bft.Protocol.Model.Topic.WhyIllegal(name) is { } reason)
        {
            throw new CommandException(ExitCode.Usage, $"'{name}' is no topic. {reason}");
        }

        Topic topic = new(name);
        return Cluster.HasPolicyFor(topic)
            ? topic
            : throw new CommandException(
                ExitCode.Invalid,
                $"no policy of cluster.yaml covers topic '{name}'; it has {PatternList()}. Add one under topics, at every witness and here.");
    }

    /// <summary>What the identity is called in cluster.yaml, for messages.</summary>
    public string IdentityName => Cluster.ClientOf(Client.Identity)?.Name ?? $"key {Client.Identity}, which cluster.yaml does not name,";

    /// <summary>Two statements of one publisher for one slot, as a third party would judge them.</summary>
    /// <exception cref="InvalidOperationException">They do not contradict each other.</exception>
    public VerifiedEvidence EvidenceOf(VerifiedStatement first, VerifiedStatement second)
    {
        PublisherEquivocation evidence = new(SignedStatement.From(first), SignedStatement.From(second));
        return new EvidenceVerifier(Cluster.Committee, Ed25519.Instance).TryVerify(evidence, out VerifiedEvidence? verified, out RejectReason reason)
            ? verified
            : throw new InvalidOperationException($"Two originals of one slot are no evidence: {reason}.");
    }

    public ValueTask DisposeAsync() => Client.DisposeAsync();

    private string PatternList() => Cluster.Topics.Count == 0 ? "none" : string.Join(", ", Cluster.Topics.Select(policy => $"\"{policy.Pattern}\""));
}
