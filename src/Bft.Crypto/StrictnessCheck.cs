namespace Bft.Crypto;

/// <summary>Refuses a signature scheme whose verdicts are laxer than the protocol's proofs need. Behind <see cref="Ed25519.EnsureStrict"/>.</summary>
/// <remarks>The cases are simple enough to check by hand; the published edge cases are in the tests.</remarks>
internal static class StrictnessCheck
{
    // RFC 8032, section 7.1, TEST 2.
    private const string Seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    private const string Key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    private const string R = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da";
    private const string S = "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    // S + L, with the group's order L: the same number modulo L, so that a verifier that forgets S < L accepts it.
    private const string SPlusOrder = "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10";

    // The base point B and the number 1: S·B = R + h·A holds for R = B and S = 1 whenever h·A is the neutral element, which
    // for a key A of small order is at least one statement in eight.
    private const string BasePoint = "5866666666666666666666666666666666666666666666666666666666666666";
    private const string One = "0100000000000000000000000000000000000000000000000000000000000000";

    private static readonly byte[] Statement = [0x72];

    // The eight points of small order, neutral element first.
    private static readonly string[] SmallOrder =
    [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];

    /// <exception cref="CryptoLibraryException">A verdict is not the one expected; the message names it.</exception>
    public static void Run(ISignatureScheme scheme, Func<byte[], ISigner> signerOf)
    {
        PublicKey key = KeyOf(Key);
        ISigner signer = signerOf(Convert.FromHexString(Seed));
        using (signer as IDisposable)
        {
            Require(signer.PublicKey == key && signer.Sign(Statement) == SignatureOf(R, S), "it does not give RFC 8032's answer to TEST 2");
        }

        Require(scheme.IsAcceptableKey(key), "it refuses a good key");
        Require(scheme.Verify(key, Statement, SignatureOf(R, S)), "it refuses a good signature");
        Require(!scheme.Verify(key, [0x73], SignatureOf(R, S)), "it accepts a signature for another statement");
        Require(!scheme.Verify(key, Statement, SignatureOf(R, SPlusOrder)), "it accepts a non-canonical S");

        foreach (string point in SmallOrder)
        {
            Require(!scheme.IsAcceptableKey(KeyOf(point)), "it takes a point of small order for a key");
            for (byte statement = 0; statement < 32; statement++)
            {
                Require(!scheme.Verify(KeyOf(point), [statement], SignatureOf(BasePoint, One)), "it verifies with a key of small order");
            }
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new CryptoLibraryException(
                $"The Ed25519 library is not strict: {otherwise}. Install libsodium 1.0.18 or later, built without ED25519_COMPAT: `apt-get install libsodium23`.");
        }
    }

    private static PublicKey KeyOf(string hex) => new(Convert.FromHexString(hex));

    private static Signature SignatureOf(string r, string s) => new(Convert.FromHexString(r + s));
}
