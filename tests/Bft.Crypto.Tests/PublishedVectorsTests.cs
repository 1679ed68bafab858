using System.Text.Json;

namespace Bft.Crypto.Tests;

public sealed class PublishedVectorsTests
{
    // The cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020). Number 3 verifies, as it must without the
    // cofactor; its key is stopped when it is registered.
    private static readonly (bool Verifies, bool IsKeyAcceptable)[] SpeccheckVerdicts =
    [
        (false, false), // 0: A and R of small order, S = 0
        (false, false), // 1: A of small order
        (false, false), // 2: R of small order, A with a component of it
        (true, false), // 3: A and R with components of small order that cancel
        (false, false), // 4: the same, but only the cofactor cancels them
        (false, false), // 5: A with such a component, which only the cofactor cancels
        (false, true), // 6: S between L and 2L
        (false, true), // 7: S above 2L
        (false, false), // 8: R of small order, non-canonical, reduced before hashing
        (false, false), // 9: the same, hashed as it is
        (false, false), // 10: A of small order, non-canonical, reduced before hashing
        (false, false), // 11: the same, hashed as it is
    ];

    [VectorsFact]
    public void Speccheck_verdicts_are_the_frozen_ones()
    {
        JsonElement[] cases = [.. Vectors.Read("ed25519-speccheck.json").EnumerateArray()];

        Assert.Equal(SpeccheckVerdicts, cases.Select(test =>
        {
            PublicKey key = new(Hex(test, "pub_key"));
            return (Ed25519.Instance.Verify(key, Hex(test, "message"), new Signature(Hex(test, "signature"))), Ed25519.Instance.IsAcceptableKey(key));
        }));
    }

    [VectorsFact]
    public void Wycheproof_verdicts_are_all_met()
    {
        int valid = 0;
        int invalid = 0;
        foreach (JsonElement group in Vectors.Read("ed25519-wycheproof.json").GetProperty("testGroups").EnumerateArray())
        {
            PublicKey key = new(Hex(group.GetProperty("publicKey"), "pk"));
            foreach (JsonElement test in group.GetProperty("tests").EnumerateArray())
            {
                byte[] signature = Hex(test, "sig");
                bool verifies = signature.Length == Signature.Length && Ed25519.Instance.Verify(key, Hex(test, "msg"), new Signature(signature));

                Assert.True(verifies == (test.GetProperty("result").GetString() == "valid"), $"tcId {test.GetProperty("tcId")}");
                _ = verifies ? valid++ : invalid++;
            }
        }

        Assert.Equal((88, 63), (valid, invalid));
    }

    private static byte[] Hex(JsonElement element, string property) => Convert.FromHexString(element.GetProperty(property).GetString()!);
}
