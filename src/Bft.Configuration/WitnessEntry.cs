using Bft.Crypto;
using Bft.Protocol.Membership;

namespace Bft.Configuration;

/// <summary>A witness as cluster.yaml names it.</summary>
/// <param name="Index">Its place in the list; part of what it signs.</param>
/// <param name="Address">Where it listens: https://host:port.</param>
/// <param name="Key">The Ed25519 key of its acks.</param>
/// <param name="Pin">SHA-256 of the public key info of its TLS certificate. Names in certificates count for nothing.</param>
public sealed record WitnessEntry(WitnessIndex Index, Uri Address, PublicKey Key, Digest Pin)
{
    /// <summary>A second pin, while the TLS key is being replaced: either key is the witness's. <value>Default: null.</value></summary>
    public Digest? NextPin { get; init; }

    /// <summary>Whether a TLS key with this pin is the witness's.</summary>
    public bool Accepts(Digest pin) => pin == Pin || pin == NextPin;
}
