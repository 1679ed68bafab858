using Bft.Crypto;

namespace Bft.Protocol.Model;

/// <summary>Names one batch: its slot and the digest of its statement.</summary>
public readonly record struct BatchRef(StreamId Stream, Sequence Sequence, Digest Digest)
{
    public Slot Slot => new(Stream, Sequence);

    public override int GetHashCode() => Digest.GetHashCode();

    public override string ToString() => $"{Slot}={Digest.ToString()[..8]}";
}
