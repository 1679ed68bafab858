namespace Bft.Crypto.Tests;

public sealed class Ed25519SignerTests
{
    private static readonly byte[] Seed = [.. Enumerable.Range(0, Ed25519Signer.SeedLength).Select(i => (byte)i)];

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(64)]
    public void A_seed_of_another_length_is_refused(int length) =>
        Assert.Throws<ArgumentException>(() => new Ed25519Signer(new byte[length]));

    [Fact]
    public void Many_threads_sign_with_one_key()
    {
        using Ed25519Signer signer = new(Seed);
        Signature[] expected = [.. Enumerable.Range(0, 64).Select(i => signer.Sign([(byte)i]))];
        Assert.Equal(64, expected.Distinct().Count());

        Parallel.For(0, 2048, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            byte[] statement = [(byte)(i % 64)];
            Assert.Equal(expected[i % 64], signer.Sign(statement));
            Assert.True(Ed25519.Instance.Verify(signer.PublicKey, statement, expected[i % 64]));
        });
    }

    [Fact]
    public void A_disposed_signer_throws_and_keeps_its_public_key()
    {
        Ed25519Signer signer = new(Seed);
        PublicKey key = signer.PublicKey;

        signer.Dispose();
        signer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => signer.Sign([1]));
        Assert.Equal(key, signer.PublicKey);
    }

    [Fact]
    public void A_signature_made_while_the_key_goes_away_is_whole_or_not_made()
    {
        byte[] statement = new byte[4096];
        using Ed25519Signer reference = new(Seed);
        Signature expected = reference.Sign(statement);

        for (int round = 0; round < 50; round++)
        {
            Ed25519Signer signer = new(Seed);
            using Barrier start = new(3);
            Thread[] threads = [.. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
            {
                start.SignalAndWait();
                while (SignOrNull(signer, statement) is { } signature)
                {
                    Assert.Equal(expected, signature);
                }
            }))];
            foreach (Thread thread in threads)
            {
                thread.Start();
            }

            start.SignalAndWait();
            signer.Dispose();
            foreach (Thread thread in threads)
            {
                thread.Join();
            }
        }
    }

    [Fact]
    public void Signing_allocates_nothing()
    {
        using Ed25519Signer signer = new(Seed);
        byte[] statement = new byte[100];

        Assert.Equal(0, Allocation.Of(() => signer.Sign(statement)));
    }

    private static Signature? SignOrNull(Ed25519Signer signer, byte[] statement)
    {
        try
        {
            return signer.Sign(statement);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }
}
