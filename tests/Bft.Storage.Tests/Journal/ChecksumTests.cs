using System.Numerics;

namespace Bft.Storage.Tests;

public sealed class ChecksumTests
{
    /// <summary>RFC 3720, appendix B.4 (checksums as the numbers whose little-endian bytes it prints).</summary>
    [Fact]
    public void The_examples_of_the_RFC_hold()
    {
        byte[] rising = [.. Enumerable.Range(0, 32).Select(number => (byte)number)];
        Assert.Equal(0x8A9136AAu, Checksum.Of(new byte[32]));
        Assert.Equal(0x62A8AB43u, Checksum.Of([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, Checksum.Of(rising));
        Assert.Equal(0x113FDB5Cu, Checksum.Of([.. rising.Reverse()]));
    }

    [Fact]
    public void Lanes_words_and_bytes_give_what_single_bytes_give_however_the_input_is_cut()
    {
        byte[] bytes = JournalExtensions.BodyOf(1, 10_000);
        uint state = uint.MaxValue;
        for (int length = 0; length < bytes.Length; length++)
        {
            if (length % 13 == 0 || length % 1024 < 2)
            {
                Checksum inTwo = new();
                inTwo.Add(bytes.AsSpan(0, length / 3));
                inTwo.Add(bytes.AsSpan(length / 3, length - (length / 3)));
                Assert.Equal(~state, Checksum.Of(bytes.AsSpan(0, length)));
                Assert.Equal(~state, inTwo.Value);
            }

            state = BitOperations.Crc32C(state, bytes[length]);
        }
    }
}
