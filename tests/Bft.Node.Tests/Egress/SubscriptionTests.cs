using Bft.Node.Tests.Support;
using Bft.Protocol.Certifying;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Egress;

public sealed class SubscriptionTests
{
    [Fact]
    public async Task R7_history_and_live_are_one_path_without_gap_or_repeat()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishManyAsync(10);

        using TestConnection connection = new(cluster, 3);
        using TestCall<ISubscribeRequest, ISubscribeReply> call = await connection.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: true));
        Task publishing = publisher.PublishManyAsync(20);
        TestReader reader = new(cluster, call);
        for (ulong sequence = 0; sequence < 30; sequence++)
        {
            (Slot slot, byte[] body) = await reader.NextAsync();
            Assert.Equal(new Slot(publisher.Header.Id, new Sequence(sequence)), slot);
            Assert.Equal(publisher.Batches[(int)sequence].Body.ToArray(), body);
        }

        await publishing;
    }

    [Fact]
    public async Task R4_a_heartbeat_tells_the_digest_over_the_tips_that_were_told()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishManyAsync(3);
        using TestConnection connection = new(cluster, 2);
        using TestCall<ISubscribeRequest, ISubscribeReply> call = await connection.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: false));

        TipList told = new();
        HeartbeatFrame? heartbeat = null;
        while (heartbeat is null || told.Count == 0)
        {
            ISubscribeReply? frame = await call.NextRawAsync(frame => frame is HeartbeatFrame or TipFrame);
            heartbeat = frame as HeartbeatFrame;
            if (frame is TipFrame tip && QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? certificate))
            {
                told.Set(certificate.Batch);
            }
        }

        Assert.Equal(publisher.Header.Id, told.TipOf(publisher.Header.Id)?.Stream);
        Assert.Equal(told.ToDigest(), heartbeat.TipsDigest);
    }
}
