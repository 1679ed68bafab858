using Bft.Crypto;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Egress;

public sealed class PublisherCallsTests
{
    private readonly PublisherCalls _calls = new();
    private readonly Outbox<IPublishReply>[] _outboxes = [.. Enumerable.Range(0, 3).Select(_ => new Outbox<IPublishReply>(bytesMax: 100))];

    [Fact]
    public void Every_open_call_of_the_publisher_is_told_and_no_other()
    {
        using Ed25519Signer first = new(new byte[Ed25519Signer.SeedLength]);
        _calls.Add(first.PublicKey, _outboxes[0]);
        _calls.Add(first.PublicKey, _outboxes[1]);
        _calls.Add(default, _outboxes[2]);

        _calls.Post(first.PublicKey, new HeartbeatFrame(), bytes: 101);

        Assert.Equal([true, true, false], _outboxes.Select(outbox => outbox.Over.IsCancellationRequested));
    }

    [Fact]
    public void A_call_that_ended_is_forgotten_and_the_others_stay()
    {
        Array.ForEach(_outboxes, outbox => _calls.Add(default, outbox));

        _calls.Remove(default, _outboxes[1]);

        Assert.Equal([_outboxes[0], _outboxes[2]], _calls.Of(default));
        _calls.Remove(default, _outboxes[0]);
        _calls.Remove(default, _outboxes[2]);
        Assert.Empty(_calls.Of(default));
    }
}
