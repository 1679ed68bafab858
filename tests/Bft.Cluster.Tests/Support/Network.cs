using System.Globalization;
using System.Net;
using Bft.Configuration;

namespace Bft.Cluster.Tests.Support;

/// <summary>A link from each party to each witness, by way of the addresses in the cluster.yaml that the party reads. Parties: the witnesses, then writers, then readers.</summary>
internal sealed class Network : IAsyncDisposable
{
    public const int Writers = ProcessCluster.Count;
    public const int Readers = Writers + 1;
    private const int Parties = Readers + 1;

    private readonly Link?[,] _links = new Link?[Parties, ProcessCluster.Count];

    private Network(ProcessCluster cluster)
    {
        string[] files = new string[Parties];
        string yaml = File.ReadAllText(cluster.ClusterPath);
        Queue<int> ports = new(ProcessCluster.FreePorts(Parties * ProcessCluster.Count));
        for (int from = 0; from < Parties; from++)
        {
            string seen = yaml;
            for (int to = 0; to < ProcessCluster.Count; to++)
            {
                if (from != to)
                {
                    int port = cluster.File.Witnesses[to].Address.Port;
                    Link link = _links[from, to] = new Link(ports.Dequeue(), new IPEndPoint(IPAddress.Loopback, port));
                    seen = seen.Replace($"127.0.0.1:{port}", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{link.Port}"), StringComparison.Ordinal);
                }
            }

            files[from] = Path.Combine(cluster.Folder, $"cluster-{from}.yaml");
            File.WriteAllText(files[from], seen);
            if (from < ProcessCluster.Count)
            {
                cluster.PutClusterPath(from, files[from]);
            }
        }

        ForWriters = ClusterFile.Load(files[Writers]);
        ForReaders = ClusterFile.Load(files[Readers]);
    }

    /// <summary>The cluster as writers see it.</summary>
    public ClusterFile ForWriters { get; }

    public ClusterFile ForReaders { get; }

    /// <summary>Between all parties of a cluster none of whose witnesses runs yet.</summary>
    public static Network Of(ProcessCluster cluster) => new(cluster);

    /// <summary>Every link that begins or ends at this witness.</summary>
    public IEnumerable<Link> Of(int witness) => Where((from, to) => from == witness || to == witness);

    public Link this[int from, int to] => _links[from, to]!;

    /// <summary>Every link with one end in here and the other outside.</summary>
    public IEnumerable<Link> Around(params int[] parties) => Where((from, to) => parties.Contains(from) != parties.Contains(to));

    public IEnumerable<Link> All() => Where((_, _) => true);

    public async ValueTask DisposeAsync()
    {
        foreach (Link link in All())
        {
            await link.DisposeAsync();
        }
    }

    private IEnumerable<Link> Where(Func<int, int, bool> isMeant) =>
        from sender in Enumerable.Range(0, Parties)
        from witness in Enumerable.Range(0, ProcessCluster.Count)
        where sender != witness && isMeant(sender, witness)
        select _links[sender, witness];
}
