using Bft.Bench.Load;

namespace Bft.Bench.Tests.Load;

public sealed class PayloadsTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(100)]
    [InlineData(1024 * 1024)]
    public void A_message_is_known_again_and_no_changed_byte_passes(int size)
    {
        Payloads payloads = new(7, size);
        byte[] message = new byte[size];
        payloads.Write(123_456_789_012, message);

        Assert.Equal(123_456_789_012, Payloads.NumberOf(message));
        Assert.True(payloads.IsWhole(message));
        Assert.False(payloads.IsWhole(message.AsSpan(..^1)));
        for (int i = Payloads.SizeMin; i < size; i += Math.Max(1, size / 50))
        {
            message[i] ^= 1;
            Assert.False(payloads.IsWhole(message), $"Byte {i} was changed.");
            message[i] ^= 1;
        }
    }

    [Fact]
    public void The_same_seed_makes_the_same_messages_and_another_one_others()
    {
        byte[][] made = [.. new[] { 1, 1, 2 }.Select(seed =>
        {
            byte[] message = new byte[64];
            new Payloads(seed, 64).Write(5, message);
            return message;
        })];

        Assert.Equal(made[0], made[1]);
        Assert.NotEqual(made[0], made[2]);
    }

    [Fact]
    public void Neighbours_differ_in_more_than_their_number()
    {
        Payloads payloads = new(1, 64);
        (byte[] one, byte[] next) = (new byte[64], new byte[64]);
        payloads.Write(1, one);
        payloads.Write(2, next);

        Assert.NotEqual(one[Payloads.SizeMin..], next[Payloads.SizeMin..]);
    }
}
