namespace Bft.Crypto.Tests;

/// <summary>What Digest, PublicKey and Signature promise alike: bytes in and out, text, order, hash code.</summary>
public sealed class EncodingTests
{
    private static readonly Random Random = new(20261121);

    [Fact]
    public void Bytes_text_and_order_survive()
    {
        byte[] destination = new byte[Signature.Length];
        for (int i = 0; i < 2000; i++)
        {
            byte[] left = SomeBytes();
            byte[] right = SomeBytes(like: left);
            string leftText = Convert.ToHexStringLower(left);
            int order = Math.Sign(left.AsSpan().SequenceCompareTo(right));
            int halfOrder = Math.Sign(left.AsSpan(0, 32).SequenceCompareTo(right.AsSpan(0, 32)));

            Signature signature = new(left);
            signature.CopyTo(destination);
            Assert.Equal(left, destination);
            Assert.Equal(leftText, signature.ToString());
            Assert.True(Signature.TryParse(leftText, out Signature parsed) && parsed == signature);
            Assert.Equal(order, Math.Sign(signature.CompareTo(new Signature(right))));
            Assert.Equal(order == 0, signature == new Signature(right));
            Assert.Equal(order < 0, signature < new Signature(right));
            Assert.Equal(order <= 0, signature <= new Signature(right));
            Assert.Equal(order > 0, signature > new Signature(right));
            Assert.Equal(order >= 0, signature >= new Signature(right));

            PublicKey key = new(left.AsSpan(0, 32));
            key.CopyTo(destination);
            Assert.Equal(left.AsSpan(0, 32), destination.AsSpan(0, 32));
            Assert.Equal(leftText[..64], key.ToString());
            Assert.True(PublicKey.TryParse(leftText.AsSpan(0, 64), out PublicKey parsedKey) && parsedKey == key);
            PublicKey rightKey = new(right.AsSpan(0, 32));
            Assert.Equal(halfOrder, Math.Sign(key.CompareTo(rightKey)));
            Assert.Equal(
                (halfOrder == 0, halfOrder < 0, halfOrder <= 0, halfOrder > 0, halfOrder >= 0),
                (key == rightKey, key < rightKey, key <= rightKey, key > rightKey, key >= rightKey));

            Digest digest = new(left.AsSpan(0, 32));
            digest.CopyTo(destination);
            Assert.Equal(left.AsSpan(0, 32), destination.AsSpan(0, 32));
            Assert.Equal(leftText[..64], digest.ToString());
            Assert.True(Digest.TryParse(leftText.AsSpan(0, 64), out Digest parsedDigest) && parsedDigest == digest);
            Digest rightDigest = new(right.AsSpan(0, 32));
            Assert.Equal(halfOrder, Math.Sign(digest.CompareTo(rightDigest)));
            Assert.Equal(
                (halfOrder == 0, halfOrder < 0, halfOrder <= 0, halfOrder > 0, halfOrder >= 0),
                (digest == rightDigest, digest < rightDigest, digest <= rightDigest, digest > rightDigest, digest >= rightDigest));
        }
    }

    [Fact]
    public void Other_lengths_are_a_callers_mistake()
    {
        foreach (int length in (int[])[0, 31, 33, 63, 64, 65])
        {
            byte[] bytes = new byte[length];
            Assert.Throws<ArgumentException>(() => new Digest(bytes));
            Assert.Throws<ArgumentException>(() => new PublicKey(bytes));
            if (length != Signature.Length)
            {
                Assert.Throws<ArgumentException>(() => new Signature(bytes));
            }
        }
    }

    [Fact]
    public void A_destination_that_is_too_short_is_left_alone()
    {
        Signature signature = new([.. Enumerable.Repeat((byte)1, Signature.Length)]);
        PublicKey key = new([.. Enumerable.Repeat((byte)1, PublicKey.Length)]);
        byte[] destination = new byte[Signature.Length - 1];

        Assert.Throws<ArgumentOutOfRangeException>(() => signature.CopyTo(destination));
        Assert.Throws<ArgumentOutOfRangeException>(() => key.CopyTo(destination.AsSpan(0, PublicKey.Length - 1)));
        Assert.All(destination, value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("00000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000A")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000g")]
    [InlineData(" 00000000000000000000000000000000000000000000000000000000000000a ")]
    [InlineData("0x0000000000000000000000000000000000000000000000000000000000000a")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000\u0661")]
    public void Text_that_is_not_lower_case_hex_of_the_right_length_is_refused(string text)
    {
        Assert.False(Digest.TryParse(text, out Digest digest));
        Assert.False(PublicKey.TryParse(text, out PublicKey key));
        Assert.False(Signature.TryParse(text + text, out Signature signature));
        Assert.Equal(default, digest);
        Assert.Equal(default, key);
        Assert.Equal(default, signature);
    }

    [Fact]
    public void Hash_codes_are_frozen()
    {
        byte[] bytes = [.. Enumerable.Range(1, Signature.Length).Select(i => (byte)i)];

        // The last eight of the first 32 bytes, halves combined: 0x191a1b1c ^ 0x1d1e1f20.
        Assert.Equal(0x0404043c, new Digest(bytes.AsSpan(0, 32)).GetHashCode());
        Assert.Equal(0x0404043c, new PublicKey(bytes.AsSpan(0, 32)).GetHashCode());
        Assert.Equal(0x0404043c, new Signature(bytes).GetHashCode());
    }

    [Fact]
    public void Default_values_are_legal_and_trusted_by_nobody()
    {
        Assert.Equal(new PublicKey(new byte[PublicKey.Length]), default);
        Assert.Equal(new Signature(new byte[Signature.Length]), default);
        Assert.False(Ed25519.Instance.IsAcceptableKey(default));

        using Ed25519Signer signer = new(new byte[Ed25519Signer.SeedLength]);
        for (byte statement = 0; statement < 64; statement++)
        {
            Assert.False(Ed25519.Instance.Verify(default, [statement], default));
            Assert.False(Ed25519.Instance.Verify(default, [statement], signer.Sign([statement])));
            Assert.False(Ed25519.Instance.Verify(signer.PublicKey, [statement], default));
        }
    }

    /// <summary>64 bytes; given others, mostly the same with one or no byte changed, so that every place decides an order.</summary>
    private static byte[] SomeBytes(byte[]? like = null)
    {
        byte[] bytes = like?.ToArray() ?? new byte[Signature.Length];
        if (like is null)
        {
            Random.NextBytes(bytes);
        }
        else
        {
            bytes[Random.Next(bytes.Length)] = (byte)Random.Next(256);
        }

        return bytes;
    }
}
