using System.Diagnostics;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Egress;

public sealed class RetentionTests
{
    private static readonly Topic Short = new("short");

    [Fact]
    public async Task S2_asking_below_the_floor_names_it_with_its_proof_and_goes_on_from_there_after_a_restart_too()
    {
        await using LocalCluster cluster = new();
        for (int index = 0; index < 4; index++)
        {
            await cluster.StartAsync(index, SmallSegments);
        }

        using TestPublisher publisher = await new TestPublisher(cluster, topic: "short").ConnectAsync(0, 1, 2, 3);
        for (int i = 0; i < 12; i++)
        {
            await publisher.PublishAsync(new string('x', 900));
        }

        Sequence floor = await FloorAsync(cluster, publisher);
        Assert.Equal(10UL, floor.Value); // two bodies fit
        await cluster[0].WhenLogged("checkpoint");
        await cluster.StopAsync(0);
        Assert.DoesNotContain(Directory.EnumerateFiles(cluster.DataDirectory(0)), file => file.EndsWith("0000000000000001.journal", StringComparison.Ordinal));

        await cluster.StartAsync(0, SmallSegments);
        Assert.Equal(floor, await FloorAsync(cluster, publisher));
    }

    [Fact]
    public async Task S3_a_witness_that_was_down_while_the_others_cut_skips_the_bodies_and_fetches_the_rest()
    {
        await using LocalCluster cluster = new();
        for (int index = 0; index < 4; index++)
        {
            await cluster.StartAsync(index, SmallSegments);
        }

        using TestPublisher publisher = await new TestPublisher(cluster, topic: "short").ConnectAsync(0, 1, 2);
        await publisher.PublishAsync(new string('x', 900));
        await cluster.StopAsync(3);
        for (int i = 0; i < 11; i++)
        {
            await publisher.PublishAsync(new string('x', 900));
        }

        Assert.Equal(10UL, (await FloorAsync(cluster, publisher)).Value);
        Assert.Equal(10UL, (await FloorAsync(cluster, publisher, witness: 1)).Value);
        Assert.Equal(10UL, (await FloorAsync(cluster, publisher, witness: 2)).Value);

        await cluster.StartAsync(3, SmallSegments);

        Assert.Equal(10UL, (await FloorAsync(cluster, publisher, witness: 3)).Value);
    }

    private static NodeOptions SmallSegments(NodeOptions options) => options with { Edge = options.Edge with { JournalSegmentBytes = 4096 } };

    /// <summary>Subscribes from the beginning until that is cut.</summary>
    private static async Task<Sequence> FloorAsync(LocalCluster cluster, TestPublisher publisher, int witness = 0)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            using TestConnection connection = new(cluster, witness);
            using TestCall<ISubscribeRequest, ISubscribeReply> call = await connection.SubscribeAsync(
                cluster.Reader, new StartFrame(Short, StartPosition.Cursor, [new Slot(publisher.Header.Id, Sequence.Zero)], WithBodies: true));
            if (await call.NextAsync() is not FloorFrame floor || floor.Slot.Sequence.Value < 10)
            {
                Assert.True(Stopwatch.GetElapsedTime(begun) < LocalCluster.Patience, "Nothing was cut.");
                continue;
            }

            Assert.Equal(publisher.Header.Id, floor.Slot.Stream);
            Assert.True(QuorumCertificate.TryParse(floor.Certificate.Span, out QuorumCertificate? proof));
            Assert.True(proof.Batch.Sequence.Following >= floor.Slot.Sequence);
            (Slot first, byte[] body) = await new TestReader(cluster, call).NextAsync();
            Assert.Equal(floor.Slot, first);
            Assert.Equal(publisher.Batches[(int)first.Sequence.Value].Body.ToArray(), body);
            return floor.Slot.Sequence;
        }
    }
}
