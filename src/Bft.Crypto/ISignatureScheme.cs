namespace Bft.Crypto;

/// <summary>Verifies signatures. Every role uses the same one, so that no two correct parties judge a signature differently.</summary>
/// <remarks>Implementations are pure and may be called from any number of threads. None takes <c>default(PublicKey)</c> or <c>default(Signature)</c>.</remarks>
public interface ISignatureScheme
{
    /// <summary>Whether <paramref name="key"/> signed <paramref name="statement"/>. Total: any bytes give an answer, none an exception.</summary>
    bool Verify(in PublicKey key, ReadOnlySpan<byte> statement, in Signature signature);

    /// <summary>Whether a key may be registered at all: asked once per key, before the first <see cref="Verify"/>. Total, as above.</summary>
    bool IsAcceptableKey(in PublicKey key);
}

/// <summary>Signs with one secret key, from any number of threads.</summary>
public interface ISigner
{
    PublicKey PublicKey { get; }

    Signature Sign(ReadOnlySpan<byte> statement);
}
