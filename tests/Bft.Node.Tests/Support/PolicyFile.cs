using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Tests.Support;

namespace Bft.Node.Tests.Support;

/// <summary>A cluster.yaml for a committee whose witnesses do not run.</summary>
internal static class PolicyFile
{
    /// <param name="cluster">The committee.</param>
    /// <param name="topics">The lines under <c>topics:</c>.</param>
    /// <param name="clients">By name.</param>
    public static ClusterFile Of(TestCluster cluster, string topics, params ClientEntry[] clients)
    {
        string yaml = NewCluster.Create(
            cluster.Genesis.Name,
            new byte[Genesis.NonceLength],
            [.. cluster.Committee.Members.Select(index => new WitnessEntry(index, new Uri($"https://127.0.0.1:{7000 + index.Value}"), cluster.Committee.KeyOf(index), Sha256.Hash([(byte)index.Value])))],
            clients,
            ClusterLimits.Default).ToYaml();
        ClusterFile file = ClusterFile.Parse($"{yaml[..yaml.IndexOf("topics:", StringComparison.Ordinal)]}topics:\n{topics}", "cluster.yaml");
        Assert.Equal(cluster.Committee.Cluster, file.Committee.Cluster);
        return file;
    }
}
