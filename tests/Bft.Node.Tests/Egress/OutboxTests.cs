using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Egress;

public sealed class OutboxTests
{
    private static readonly StreamId Stream = new(Sha256.Hash("a stream"u8));
    private static readonly StreamId Other = new(Sha256.Hash("another"u8));
    private readonly Outbox<IExchangeRequest> _outbox = new(bytesMax: 100);

    [Fact]
    public void A_tip_for_an_outbox_that_overflowed_is_dropped_again_and_again()
    {
        _outbox.PostTip(Stream, Tip(), bytes: 101);
        Assert.True(_outbox.Over.IsCancellationRequested);

        // The core's thread posts these until the call has ended: nothing may be thrown there.
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        _outbox.PostTip(Other, Tip(), bytes: 1);
        _outbox.PostTip(Other, Tip(), bytes: 1);
    }

    [Fact]
    public void A_tip_for_a_closed_outbox_is_dropped_again_and_again()
    {
        _outbox.Close();
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        _outbox.PostTip(Stream, Tip(), bytes: 1);
        Assert.False(_outbox.Over.IsCancellationRequested);
    }

    [Fact]
    public void Only_the_last_tip_of_a_stream_waits_and_counts_once()
    {
        for (int i = 0; i < 100; i++)
        {
            _outbox.PostTip(Stream, Tip(), bytes: 60);
        }

        Assert.False(_outbox.Over.IsCancellationRequested);
        _outbox.PostTip(Other, Tip(), bytes: 60);
        Assert.True(_outbox.Over.IsCancellationRequested);
    }

    private static TipFrame Tip() => new(new byte[10]);
}
