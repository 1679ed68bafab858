using System.Numerics;
using System.Security.Cryptography;

namespace Bft.Crypto.Tests;

public sealed class StrictnessCheckTests
{
    private static readonly BigInteger Order = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", null);

    [Fact]
    public void The_library_in_use_passes() => Ed25519.EnsureStrict();

    [Fact]
    public void A_scheme_that_reduces_S_is_refused() =>
        AssertRefused("non-canonical S", verify: (key, statement, signature) =>
        {
            byte[] bytes = Bytes(signature);
            BigInteger s = new BigInteger(bytes.AsSpan(32), isUnsigned: true) % Order;
            Array.Clear(bytes, 32, 32);
            Assert.True(s.TryWriteBytes(bytes.AsSpan(32), out _, isUnsigned: true));
            return Ed25519.Instance.Verify(key, statement, new Signature(bytes));
        });

    [Fact]
    public void A_scheme_that_only_checks_the_equation_is_refused_for_any_point_of_small_order()
    {
        Ed25519Case[] cases = [.. Ed25519EdgeCases.All.Where(test => test.Name.StartsWith("key of order ", StringComparison.Ordinal))];
        Assert.Equal(14, cases.Length);
        foreach (Ed25519Case canonical in cases.Take(8))
        {
            // 1·B = B + h·A holds when the key's order, 8 at most, divides h.
            AssertRefused("verifies with a key of small order", verify: (key, statement, signature) =>
                Ed25519.Instance.Verify(key, statement, signature)
                || (key == canonical.Key && signature == canonical.Signature && Challenge(key, statement, signature) % 8 == 0));
        }
    }

    [Fact]
    public void A_scheme_that_registers_any_one_point_of_small_order_is_refused()
    {
        foreach (Ed25519Case canonical in Ed25519EdgeCases.All.Where(test => test.Name.StartsWith("key of order ", StringComparison.Ordinal)).Take(8))
        {
            AssertRefused("takes a point of small order for a key", isAcceptable: key => key == canonical.Key || Ed25519.Instance.IsAcceptableKey(key));
        }
    }

    [Fact]
    public void A_scheme_that_says_yes_or_no_to_everything_is_refused()
    {
        AssertRefused("another statement", verify: (_, _, _) => true);
        AssertRefused("refuses a good signature", verify: (_, _, _) => false);
        AssertRefused("refuses a good key", isAcceptable: _ => false);
    }

    [Fact]
    public void A_signer_with_another_answer_is_refused()
    {
        AssertRefused("RFC 8032", signerOf: seed => new Ed25519Signer([.. seed.Reverse()]));
        AssertRefused("RFC 8032", signerOf: seed => new WrongSigner(new Ed25519Signer(seed)));
    }

    [Fact]
    public void A_missing_library_is_named_with_the_way_to_install_it()
    {
        CryptoLibraryException exception = Assert.Throws<CryptoLibraryException>(
            () => Libsodium.Load(["no-such-library"], typeof(Ed25519).Assembly, paths: null));

        Assert.Contains("no-such-library", exception.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install libsodium23", exception.Message, StringComparison.Ordinal);
    }

    private static void AssertRefused(
        string reason, Func<PublicKey, byte[], Signature, bool>? verify = null, Func<PublicKey, bool>? isAcceptable = null, Func<byte[], ISigner>? signerOf = null)
    {
        OtherScheme scheme = new(
            verify ?? ((key, statement, signature) => Ed25519.Instance.Verify(key, statement, signature)),
            isAcceptable ?? (key => Ed25519.Instance.IsAcceptableKey(key)));

        CryptoLibraryException exception = Assert.Throws<CryptoLibraryException>(
            () => StrictnessCheck.Run(scheme, signerOf ?? (seed => new Ed25519Signer(seed))));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    private static BigInteger Challenge(PublicKey key, byte[] statement, Signature signature)
    {
        byte[] keyBytes = new byte[PublicKey.Length];
        key.CopyTo(keyBytes);
        return new BigInteger(SHA512.HashData([.. Bytes(signature)[..32], .. keyBytes, .. statement]), isUnsigned: true) % Order;
    }

    private static byte[] Bytes(Signature signature)
    {
        byte[] bytes = new byte[Signature.Length];
        signature.CopyTo(bytes);
        return bytes;
    }

    private sealed class OtherScheme(Func<PublicKey, byte[], Signature, bool> verify, Func<PublicKey, bool> isAcceptable) : ISignatureScheme
    {
        public bool Verify(in PublicKey key, ReadOnlySpan<byte> statement, in Signature signature) => verify(key, statement.ToArray(), signature);

        public bool IsAcceptableKey(in PublicKey key) => isAcceptable(key);
    }

    /// <summary>Signs with the right key, but not the statement it was given.</summary>
    private sealed class WrongSigner(Ed25519Signer signer) : ISigner, IDisposable
    {
        public PublicKey PublicKey => signer.PublicKey;

        public Signature Sign(ReadOnlySpan<byte> statement) => signer.Sign([.. statement, 0]);

        public void Dispose() => signer.Dispose();
    }
}
