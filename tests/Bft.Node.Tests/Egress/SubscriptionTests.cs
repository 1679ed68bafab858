using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
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
}
