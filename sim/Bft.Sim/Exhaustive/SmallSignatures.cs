using Bft.Crypto;

namespace Bft.Sim.SmallScope;

/// <summary>Signatures that are a checksum of key and statement: the same each time, for any thread, and forged by nobody because nobody here tries.</summary>
internal sealed class SmallSignatures : ISignatureScheme
{
    public static SmallSignatures Instance { get; } = new();

    public bool Verify(in PublicKey key, ReadOnlySpan<byte> statement, in Signature signature) => signature == Of(key, statement);

    public bool IsAcceptableKey(in PublicKey key) => key != default;

    /// <summary>The signer of a party.</summary>
    public static ISigner SignerOf(int party)
    {
        Span<byte> key = stackalloc byte[PublicKey.Length];
        key.Fill(0x5E);
        key[0] = (byte)party;
        return new Signer(new PublicKey(key));
    }

    private static Signature Of(in PublicKey key, ReadOnlySpan<byte> statement)
    {
        Span<byte> bytes = stackalloc byte[Signature.Length];
        key.CopyTo(bytes);
        BitConverter.TryWriteBytes(bytes[PublicKey.Length..], FastHash.Of(statement, FastHash.Of(bytes[..PublicKey.Length])));
        bytes[^1] = 1;
        return new Signature(bytes);
    }

    private sealed class Signer(PublicKey key) : ISigner
    {
        public PublicKey PublicKey => key;

        public Signature Sign(ReadOnlySpan<byte> statement) => Of(key, statement);
    }
}
