using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Model;

namespace Bft.Protocol.Tests.Certifying;

public sealed class TipListTests
{
    [Fact]
    public void R4_the_digest_is_over_the_tips_in_order_of_stream_and_changes_with_each()
    {
        TipList one = new();
        TipList other = new();
        BatchRef[] tips = [Tip(2, 5), Tip(1, 7), Tip(3, 0)];
        foreach (BatchRef tip in tips)
        {
            one.Set(tip);
        }

        foreach (BatchRef tip in tips.Reverse())
        {
            other.Set(tip);
        }

        Assert.Equal(one.ToDigest(), other.ToDigest());
        other.Set(Tip(1, 8));
        Assert.NotEqual(one.ToDigest(), other.ToDigest());
        one.Set(Tip(1, 8));
        Assert.Equal(one.ToDigest(), other.ToDigest());
        other.Remove(tips[2].Stream);
        Assert.NotEqual(one.ToDigest(), other.ToDigest());
    }

    [Fact]
    public void R4_the_digest_is_laid_out_as_the_page_says()
    {
        TipList list = new();
        BatchRef tip = Tip(9, 0x0102);
        list.Set(tip);

        byte[] bytes = new byte[72];
        tip.Stream.Digest.CopyTo(bytes);
        bytes[32] = 2;
        bytes[33] = 1;
        tip.Digest.CopyTo(bytes.AsSpan(40));
        Assert.Equal(Sha256.Hash(bytes), list.ToDigest());
        Assert.Equal(Sha256.Hash([]), new TipList().ToDigest());
    }

    private static BatchRef Tip(byte stream, ulong sequence) =>
        new(new StreamId(Sha256.Hash([stream])), new Sequence(sequence), Sha256.Hash([stream, (byte)(sequence % 251)]));
}
