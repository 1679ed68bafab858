namespace Bft.Crypto.Tests;

public sealed class Ed25519Tests
{
    // RFC 8032, section 7.1: seed, public key, message, signature.
    public static TheoryData<string, string, string, string> Rfc8032 => new()
    {
        {
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        },
        {
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        },
        {
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        },
        {
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        },
    };

    [Theory]
    [MemberData(nameof(Rfc8032))]
    public void RFC_8032_answers(string seed, string key, string message, string signature)
    {
        using Ed25519Signer signer = new(Convert.FromHexString(seed));
        byte[] statement = Convert.FromHexString(message);

        Assert.Equal(key, signer.PublicKey.ToString());
        Assert.Equal(signature, signer.Sign(statement).ToString());
        Assert.True(Ed25519.Instance.Verify(signer.PublicKey, statement, signer.Sign(statement)));
        Assert.True(Ed25519.Instance.IsAcceptableKey(signer.PublicKey));
    }

    [Fact]
    public void Edge_cases_get_the_frozen_verdicts() =>
        Assert.All(Ed25519EdgeCases.All, test => Assert.Equal(
            (test.Verifies, test.IsKeyAcceptable),
            (Ed25519.Instance.Verify(test.Key, test.Message, test.Signature), Ed25519.Instance.IsAcceptableKey(test.Key))));

    [Fact]
    public void Any_single_bit_changed_in_key_statement_or_signature_is_refused()
    {
        using Ed25519Signer signer = new(new byte[Ed25519Signer.SeedLength]);
        byte[] statement = [1, 2, 3];
        byte[] key = Convert.FromHexString(signer.PublicKey.ToString());
        byte[] signature = Convert.FromHexString(signer.Sign(statement).ToString());
        Assert.True(Verifies());

        foreach (byte[] part in (byte[][])[key, statement, signature])
        {
            for (int bit = 0; bit < 8 * part.Length; bit++)
            {
                part[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(Verifies());
                part[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }

        bool Verifies() => Ed25519.Instance.Verify(new PublicKey(key), statement, new Signature(signature));
    }

#if !UPSTREAM_PACKAGES
    [Fact]
    public void Verifying_allocates_nothing()
    {
        using Ed25519Signer signer = new(new byte[Ed25519Signer.SeedLength]);
        byte[] statement = new byte[100];
        Signature signature = signer.Sign(statement);

        Assert.Equal(0, Allocation.Of(() =>
        {
            Ed25519.Instance.Verify(signer.PublicKey, statement, signature);
            Ed25519.Instance.IsAcceptableKey(signer.PublicKey);
        }));
    }
#endif
}
