using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Verification;

/// <summary>With this a client (or a peer) proves its identity to one witness on one connection; it is worth nothing elsewhere.</summary>
/// <param name="Cluster">Which cluster.</param>
/// <param name="Client">The key that signs.</param>
/// <param name="Witness">The witness spoken to.</param>
/// <param name="Pin">SHA-256 of the public key info of the TLS certificate that the client saw; zeros on a connection without TLS.</param>
/// <param name="Nonce">32 bytes that the witness drew for this connection; good once.</param>
public readonly record struct HelloStatement(ClusterId Cluster, PublicKey Client, WitnessIndex Witness, Digest Pin, Digest Nonce)
{
    /// <summary>Length of the bytes signed.</summary>
    public const int Length = StatementTag.Length + Digest.Length + PublicKey.Length + 1 + Digest.Length + Digest.Length;

    public Signature Sign(ISigner signer)
    {
        ArgumentNullException.ThrowIfNull(signer);
        Span<byte> bytes = stackalloc byte[Length];
        WriteTo(bytes);
        return signer.Sign(bytes);
    }

    /// <summary>The client's signature over this statement; the witness fills in its own cluster, index, pin and nonce.</summary>
    public bool IsSigned(Signature signature, ISignatureScheme scheme)
    {
        ArgumentNullException.ThrowIfNull(scheme);
        Span<byte> bytes = stackalloc byte[Length];
        WriteTo(bytes);
        return scheme.Verify(Client, bytes, signature);
    }

    private void WriteTo(Span<byte> bytes)
    {
        StatementWriter writer = new(bytes);
        writer.Tag(StatementTag.Hello);
        writer.Digest(Cluster.Digest);
        writer.PublicKey(Client);
        writer.U8(Witness.Value);
        writer.Digest(Pin);
        writer.Digest(Nonce);
    }
}
