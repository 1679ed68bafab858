using Bft.Crypto;

namespace Bft.Configuration;

/// <summary>A publisher or receiver that the cluster knows.</summary>
/// <param name="Name">What topic policies call it.</param>
/// <param name="Key">Its Ed25519 key.</param>
public sealed record ClientEntry(string Name, PublicKey Key);
