using System.Text;

namespace Bft.Crypto.Tests;

public sealed class Sha256Tests
{
    // FIPS 180-4's examples (NIST, "Cryptographic Standards and Guidelines: Example Values").
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void Known_answers(string text, string expected) =>
        Assert.Equal(expected, Sha256.Hash(Encoding.ASCII.GetBytes(text)).ToString());

    [Fact]
    public void A_million_times_the_letter_a()
    {
        byte[] data = new byte[1_000_000];
        data.AsSpan().Fill((byte)'a');

        Assert.Equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", Sha256.Hash(data).ToString());
    }

    [Fact]
    public void Parts_hash_as_their_concatenation()
    {
        byte[] data = [.. Enumerable.Range(0, 300).Select(i => (byte)(i % 251))];
        for (int length = 1; length <= data.Length; length++)
        {
            ReadOnlySpan<byte> all = data.AsSpan(0, length);
            Digest expected = Sha256.Hash(all);
            int middle = length / 3;

            Assert.Equal(expected, Sha256.Hash(all[..middle], all[middle..]));
            Assert.Equal(expected, Sha256.Hash(all[0], all[1..]));
            Assert.Equal(expected, Sha256.Hash(all[0], all[1..(middle + 1)], all[(middle + 1)..]));
        }
    }

    [Fact]
    public void No_call_allocates()
    {
        byte[] data = new byte[100];
        Assert.Equal(0, Allocation.Of(() =>
        {
            Sha256.Hash(data);
            Sha256.Hash(1, data);
            Sha256.Hash(1, data, data);
            Merkle.LeafHash(data);
        }));
    }
}
