using Bft.Crypto;

namespace Bft.Protocol.Model;

/// <summary>SHA-256 of the genesis statement; in everything that is signed, so that nothing counts in two clusters.</summary>
public readonly record struct ClusterId(Digest Digest)
{
    public override int GetHashCode() => Digest.GetHashCode();

    public override string ToString() => Digest.ToString();
}
