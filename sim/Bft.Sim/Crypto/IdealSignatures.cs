using System.Buffers.Binary;
using Bft.Crypto;

namespace Bft.Sim;

/// <summary>Signatures that cannot be forged because a registry says who signed what: only the holder of a signer adds to it.</summary>
/// <remarks>One statement may have several valid signatures, as with any scheme that is not deterministic.</remarks>
internal sealed class IdealSignatures : ISignatureScheme
{
    private readonly Dictionary<(ulong, ulong), (PublicKey Key, ulong Statement)> _registry = [];
    private ulong _issued;

    public bool Verify(in PublicKey key, ReadOnlySpan<byte> statement, in Signature signature)
    {
        if (key == default || signature == default)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Signature.Length];
        signature.CopyTo(bytes);
        return _registry.TryGetValue((BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])), out (PublicKey Key, ulong Statement) signed)
            && bytes[16..].IndexOfAnyExcept((byte)0x5A) < 0
            && signed.Key == key
            && signed.Statement == FastHash.Of(statement, seed: 77);
    }

    public bool IsAcceptableKey(in PublicKey key) => key != default;

    /// <summary>The one signer of a new key.</summary>
    public ISigner SignerOf(int party)
    {
        Span<byte> key = stackalloc byte[PublicKey.Length];
        key.Fill(0xC5);
        BinaryPrimitives.WriteInt32LittleEndian(key, party + 1);
        return new Signer(this, new PublicKey(key));
    }

    private Signature Sign(in PublicKey key, ReadOnlySpan<byte> statement)
    {
        ulong hash = FastHash.Of(statement, seed: 77);
        Span<byte> bytes = stackalloc byte[Signature.Length];
        bytes.Fill(0x5A);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ++_issued);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], hash);
        _registry.Add((_issued, hash), (key, hash));
        return new Signature(bytes);
    }

    private sealed class Signer(IdealSignatures scheme, PublicKey key) : ISigner
    {
        public PublicKey PublicKey { get; } = key;

        public Signature Sign(ReadOnlySpan<byte> statement) => scheme.Sign(PublicKey, statement);
    }
}
