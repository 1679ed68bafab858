namespace Bft.Crypto;

/// <summary>The same scheme; counts what was verified. One for each party whose bytes are verified, used by one task at a time.</summary>
public sealed class CountedSignatures(ISignatureScheme scheme) : ISignatureScheme
{
    /// <summary>Signatures verified since it was last taken.</summary>
    public int Count { get; private set; }

    public int Take()
    {
        int count = Count;
        Count = 0;
        return count;
    }

    /// <inheritdoc/>
    public bool Verify(in PublicKey key, ReadOnlySpan<byte> statement, in Signature signature)
    {
        Count++;
        return scheme.Verify(key, statement, signature);
    }

    /// <inheritdoc/>
    public bool IsAcceptableKey(in PublicKey key) => scheme.IsAcceptableKey(key);
}
