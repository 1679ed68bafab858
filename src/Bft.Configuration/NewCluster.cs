using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Membership;

namespace Bft.Configuration;

/// <summary>Makes the cluster.yaml of a new cluster (`bft init`).</summary>
public static class NewCluster
{
    /// <summary>One policy for all topics: each client may publish and read.</summary>
    /// <param name="name">The cluster's name.</param>
    /// <param name="nonce">32 random bytes.</param>
    /// <param name="witnesses">In the order of their index.</param>
    /// <param name="clients">Known from the start.</param>
    /// <param name="limits">Part of the cluster id.</param>
    /// <exception cref="ArgumentException">As for <see cref="Genesis"/>.</exception>
    public static ClusterFile Create(string name, ReadOnlySpan<byte> nonce, IReadOnlyList<WitnessEntry> witnesses, IReadOnlyList<ClientEntry> clients, ClusterLimits limits)
    {
        SortedSet<PublicKey> all = [.. clients.Select(client => client.Key)];
        return new ClusterFile(
            new Genesis(name, nonce, witnesses.Select(witness => witness.Key), limits),
            Convert.ToHexStringLower(nonce),
            witnesses,
            clients,
            [new TopicPolicy("*", all, all)]);
    }
}
