using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Bft.Wire.Services;

namespace Bft.Client.Tests.Publishing;

/// <summary>What a publisher believes of a witness's replies, and what looking at them costs.</summary>
public sealed class PublishRepliesTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly PublishReplies _replies;
    private readonly HashSet<Slot> _covered = [];

    public PublishRepliesTests()
    {
        _stream = _cluster.Stream();
        _replies = new PublishReplies(_cluster.Committee, _stream.Signer.PublicKey, _stream.Header.Topic, new CountedSignatures(Ed25519.Instance), _covered.Contains);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void The_newest_tip_of_a_stream_waits_and_of_few_streams()
    {
        const int TipsMax = 8;
        VerifiedBatch[] others = [.. Enumerable.Range(2, TipsMax).Select(incarnation => _cluster.Stream(incarnation: (ulong)incarnation).Append())];
        _stream.AppendMany(2);
        Tip(others[0]);
        Tip(_stream[0]);
        Tip(_stream[1]);
        Assert.Equal([others[0].Reference, _stream[1].Reference], _replies.TakeTips().Select(tip => tip.Batch));
        Assert.Empty(_replies.TakeTips());

        Tip(_stream[1]);
        Array.ForEach(others, Tip);
        Assert.Equal(others.Select(batch => batch.Reference), _replies.TakeTips().Select(tip => tip.Batch)); // the oldest had to go
    }

    [Fact]
    public void P5_acks_of_what_is_covered_cost_nothing_and_others_beside_them_are_taken()
    {
        VerifiedBatch[] batches = _stream.AppendMany(2);
        AcksFrame both = new(_cluster.Bundle(1, [.. batches.Select(batch => new AckStatement(batch.Reference, Sequence.Zero))]).Encode());
        _covered.Add(batches[0].Reference.Slot);
        Assert.Equal(2, Assert.IsType<AcksReply>(_replies.Verify(both)).Acks.Length);
        Assert.Equal(Allowance.CostOf(both) + Allowance.Signature, _replies.TakeCost(both));

        _covered.Add(batches[1].Reference.Slot);
        Assert.Null(_replies.Verify(both));
        Assert.Equal(Allowance.CostOf(both), _replies.TakeCost(both));
    }

    [Fact]
    public void P7_a_standing_of_another_topic_is_no_answer()
    {
        Assert.IsType<StandingReply>(_replies.Verify(new StandingFrame(_stream.Header.Topic, [], [])));
        Assert.IsType<BadReply>(_replies.Verify(new StandingFrame(new Topic("another"), [], [])));
    }

    private void Tip(VerifiedBatch batch) => Assert.Null(_replies.Verify(new TipFrame(_cluster.Certify(batch.Reference).Certificate.Bytes)));
}
