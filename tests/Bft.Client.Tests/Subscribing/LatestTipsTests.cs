using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Client.Tests.Subscribing;

public sealed class LatestTipsTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly LatestTips _tips;

    public LatestTipsTests() => _tips = new LatestTips(_cluster.Committee, _cluster.Acks);

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void R4_from_now_on_begins_when_n_minus_f_have_shown_their_tips_and_behind_the_highest()
    {
        TestStream stream = _cluster.Stream();
        stream.AppendMany(3);
        Assert.True(_tips.OnTip(new WitnessIndex(0), Tip(stream[2])));
        Assert.True(_tips.OnTip(new WitnessIndex(1), Tip(stream[0])));
        for (int witness = 0; witness < _cluster.Size.Responsive; witness++)
        {
            Assert.False(_tips.IsComplete);
            _tips.OnHeartbeat(new WitnessIndex(witness));
            _tips.OnHeartbeat(new WitnessIndex(0));
        }

        Assert.True(_tips.IsComplete);
        Assert.Equal(new Sequence(3), _tips.ToCursor(new Topic("orders")).PositionOf(stream.Id).Next);
    }

    [Fact]
    public void R4_a_tip_that_proves_nothing_moves_nothing()
    {
        QuorumCertificate one = Tip(_cluster.Stream().Append());
        BatchRef another = _cluster.Stream(publisher: 1).Append().Reference;

        Assert.False(_tips.OnTip(new WitnessIndex(0), new QuorumCertificate(another, one.Epoch, one.Entries)));

        Assert.Empty(_tips.Shown);
    }

    private QuorumCertificate Tip(VerifiedBatch batch) => _cluster.Certify(batch.Reference).Certificate;
}
