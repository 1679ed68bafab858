namespace Bft.Crypto.Tests;

public sealed class CountedSignaturesTests
{
    [Fact]
    public void Each_verification_is_taken_once_whatever_came_of_it()
    {
        using Ed25519Signer signer = new(new byte[Ed25519Signer.SeedLength]);
        CountedSignatures counted = new(Ed25519.Instance);
        Assert.True(counted.Verify(signer.PublicKey, "yes"u8, signer.Sign("yes"u8)));
        Assert.False(counted.Verify(signer.PublicKey, "no"u8, signer.Sign("yes"u8)));

        Assert.Equal(2, counted.Take());
        Assert.Equal(0, counted.Take());
    }
}
