using Bft.Cluster.Tests.Support;

namespace Bft.Cluster.Tests.Fairness;

/// <summary>A cluster in whose cluster.yaml stands who gets how much.</summary>
internal static class Shares
{
    /// <param name="clients">Beside those that every cluster has.</param>
    /// <param name="rate">Of all publishers together; null for none. Unit: bytes per second.</param>
    /// <param name="weights">Of some clients.</param>
    public static async Task<ProcessCluster> StartedAsync(string[] clients, int? rate = null, IReadOnlyDictionary<string, string>? weights = null)
    {
        ProcessCluster cluster = await ProcessCluster.MadeAsync(clients);
        string yaml = await File.ReadAllTextAsync(cluster.ClusterPath);
        foreach ((string client, string weight) in weights ?? new Dictionary<string, string>())
        {
            string name = $"  - name: \"{client}\"\n";
            Assert.Contains(name, yaml, StringComparison.Ordinal);
            yaml = yaml.Replace(name, $"{name}    weight: {weight}\n", StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(cluster.ClusterPath, rate is null ? yaml : $"{yaml}\nsharing:\n  bytesPerSecond: {rate}\n");
        await cluster.StartAsync();
        return cluster;
    }
}
