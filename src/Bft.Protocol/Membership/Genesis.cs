using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Membership;

/// <summary>What a cluster is: its id is the digest of this.</summary>
public sealed class Genesis
{
    /// <summary>Length of the nonce. Unit: bytes.</summary>
    public const int NonceLength = 32;

    /// <summary>Longest name. Unit: bytes of UTF-8.</summary>
    public const int NameLengthMax = Topic.LengthMax;

    private readonly PublicKey[] _witnesses;

    /// <exception cref="ArgumentException">A key stands twice, a limit is illegal, or the name or the nonce has the wrong length.</exception>
    public Genesis(string name, ReadOnlySpan<byte> nonce, IEnumerable<PublicKey> witnesses, ClusterLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        if (Topic.WhyIllegal(name) is not null)
        {
            throw new ArgumentException("A cluster's name has 1 to 255 bytes and no control characters.", nameof(name));
        }

        if (nonce.Length != NonceLength)
        {
            throw new ArgumentException($"The nonce has {NonceLength} bytes.", nameof(nonce));
        }

        _witnesses = [.. witnesses];
        if (_witnesses.Length is < CommitteeSize.Min or > CommitteeSize.Max)
        {
            throw new ArgumentException($"A cluster has {CommitteeSize.Min} to {CommitteeSize.Max} witnesses.", nameof(witnesses));
        }

        // One party with two votes would be two of the f.
        if (new SortedSet<PublicKey>(_witnesses).Count != _witnesses.Length)
        {
            throw new ArgumentException("Each witness has a key of its own.", nameof(witnesses));
        }

        if (limits.WhyIllegal() is { } reason)
        {
            throw new ArgumentException(reason, nameof(limits));
        }

        Name = name;
        Limits = limits;
        Cluster = IdOf(nonce);
    }

    public string Name { get; }

    public ClusterLimits Limits { get; }

    public ClusterId Cluster { get; }

    public Committee Committee => new(Cluster, Epoch.Zero, _witnesses, Limits);

    private ClusterId IdOf(ReadOnlySpan<byte> nonce)
    {
        byte[] bytes = new byte[StatementTag.Length + 2 + NameLengthMax + NonceLength + 1 + (_witnesses.Length * PublicKey.Length) + (5 * 4) + 8];
        StatementWriter writer = new(bytes);
        writer.Tag(StatementTag.Genesis);
        writer.Topic(new Topic(Name));
        writer.Bytes(nonce);
        writer.U8(_witnesses.Length);
        foreach (PublicKey key in _witnesses)
        {
            writer.PublicKey(key);
        }

        writer.U32((uint)Limits.BatchBytesMax);
        writer.U32((uint)Limits.MessageBytesMax);
        writer.U32((uint)Limits.MessageCountMax);
        writer.U32((uint)Limits.TableBytesMax);
        writer.U32((uint)Limits.WindowSlots);
        writer.U64((ulong)Limits.WindowBytes);
        return new ClusterId(Sha256.Hash(writer.Written));
    }
}
