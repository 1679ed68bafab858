using System.Collections.Immutable;
using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Protocol.Membership;

/// <summary>The witnesses of an epoch: who may ack, under which keys.</summary>
public sealed class Committee
{
    private readonly PublicKey[] _keys;

    internal Committee(ClusterId cluster, Epoch epoch, PublicKey[] keys, ClusterLimits limits)
    {
        Cluster = cluster;
        Epoch = epoch;
        Limits = limits;
        Size = new CommitteeSize(keys.Length);
        _keys = keys;
        Members = [.. Enumerable.Range(0, keys.Length).Select(index => new WitnessIndex(index))];
    }

    public ClusterId Cluster { get; }

    public Epoch Epoch { get; }

    public CommitteeSize Size { get; }

    public ClusterLimits Limits { get; }

    /// <summary>In the order of their index.</summary>
    public IReadOnlyList<PublicKey> Keys => _keys;

    public PublicKey KeyOf(WitnessIndex witness) => _keys[witness.Value];

    /// <summary>A member from a peer's number.</summary>
    public bool TryMember(int index, out WitnessIndex witness)
    {
        bool known = (uint)index < (uint)_keys.Length;
        witness = known ? new WitnessIndex(index) : default;
        return known;
    }

    /// <summary>The member with this key, if there is one.</summary>
    public WitnessIndex? IndexOf(PublicKey key)
    {
        int index = Array.IndexOf(_keys, key);
        return index < 0 ? null : new WitnessIndex(index);
    }

    /// <summary>In order.</summary>
    public ImmutableArray<WitnessIndex> Members { get; }
}
