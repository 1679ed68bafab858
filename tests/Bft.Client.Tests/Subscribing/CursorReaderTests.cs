using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;

namespace Bft.Client.Tests.Subscribing;

public sealed class CursorReaderTests
{
    private static readonly StreamId Stream = new(Sha256.Hash([1]));

    [Fact]
    public void R3_messages_that_were_taken_are_left_out_of_the_batch_that_they_are_in_and_of_no_other()
    {
        Cursor start = new(new Topic("t"));
        start.Set(Stream, new CursorPosition(new Sequence(5), MessagesTaken: 3));
        CursorReader reader = new(store: null, start);

        Assert.Equal([3, 0], new[] { 5UL, 6UL }.Select(slot => reader.Take(Stream, new Sequence(slot))));
        Assert.Equal(0, reader.Take(new StreamId(Sha256.Hash([2])), Sequence.Zero));
        Assert.Equal(new Sequence(7), reader.Delivered[Stream]);
    }
}
