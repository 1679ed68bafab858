using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Driving;

public sealed class DurabilityTests
{
    private static readonly EdgeLimits Talkative = EdgeLimits.Default with { HeartbeatInterval = TimeSpan.FromMilliseconds(20) };

    [Fact]
    public async Task W1_no_ack_leaves_before_its_record_is_flushed_and_W7_no_subscriber_sees_what_is_not()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        await cluster.StopAsync(0);
        using TestDisk disk = new(cluster.DataDirectory(0));
        await cluster.StartAsync(0, options => options with { Disk = _ => disk, Edge = Talkative });
        await cluster.AllAckAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishAsync();
        using TestConnection connection = new(cluster, 0);
        using TestCall<ISubscribeRequest, ISubscribeReply> subscription = await connection.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: true));
        TestReader reader = new(cluster, subscription);
        await reader.NextAsync();

        disk.Hold();
        SignedBatch batch = publisher.Append();
        await publisher.SendAsync(batch);
        await disk.Held;
        await publisher.CertificateOfAsync(new Sequence(1), 1, 2, 3);

        // The batch is certified by the others, and nothing of it shows here: calls are alive, and silent.
        for (int i = 0; i < 10; i++)
        {
            Assert.IsType<HeartbeatFrame>(await publisher.Calls[0].NextRawAsync(frame => frame is not TipFrame));
            Assert.IsType<HeartbeatFrame>(await subscription.NextRawAsync(_ => true));
        }

        disk.Release();
        Assert.Equal(new Sequence(1), (await publisher.AcksAsync(publisher.Calls[0]))[0].Batch.Sequence);
        Assert.Equal(new Sequence(1), (await reader.NextAsync()).Slot.Sequence);
    }

    [Fact]
    public async Task A_failed_flush_ends_all_signing_and_the_process_with_its_exit_code()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        await cluster.StopAsync(0);
        using TestDisk disk = new(cluster.DataDirectory(0));
        RunningWitness witness = await cluster.StartAsync(0, options => options with { Disk = _ => disk });
        await cluster.AllAckAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0);
        await publisher.SendAsync(publisher.Append());
        await publisher.AcksAsync(publisher.Calls[0]);

        disk.IsBroken = true;
        await publisher.SendAsync(publisher.Append());

        NodeFailure failure = await Assert.ThrowsAsync<NodeFailure>(() => witness.Ended.WaitAsync(LocalCluster.Patience));
        Assert.Equal(NodeExitCode.Disk, failure.ExitCode);
        Assert.Contains("signs nothing more", failure.Message, StringComparison.Ordinal);
        disk.IsBroken = false;
        await Assert.ThrowsAnyAsync<Exception>(() => publisher.AcksAsync(publisher.Calls[0]));
    }

    [Fact]
    public async Task W9_a_restart_rebuilds_what_was_stored_and_acks_go_on_from_there()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using (TestPublisher before = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3))
        {
            await before.PublishManyAsync(5);
        }

        for (int index = 0; index < 4; index++)
        {
            await cluster.StopAsync(index);
        }

        for (int index = 0; index < 4; index++)
        {
            await cluster.StartAsync(index);
        }

        using TestConnection connection = new(cluster, 2);
        StatusFrame status = await connection.StatusAsync(cluster.Reader);
        StreamStatus stream = Assert.Single(status.Streams);
        Assert.Equal(new Topic("orders"), stream.Topic);

        using TestPublisher after = await new TestPublisher(cluster, incarnation: 2).ConnectAsync(0, 1, 2, 3);
        await after.PublishAsync();
    }

    [Fact]
    public async Task W5_W8_a_witness_that_was_away_fetches_what_it_missed()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2);
        await cluster.StopAsync(3);
        await publisher.PublishManyAsync(40);

        await cluster.StartAsync(3);
        using TestConnection connection = new(cluster, 3);
        using TestCall<ISubscribeRequest, ISubscribeReply> call = await connection.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: true));
        TestReader reader = new(cluster, call);
        for (ulong sequence = 0; sequence < 40; sequence++)
        {
            (Slot slot, byte[] body) = await reader.NextAsync();
            Assert.Equal(sequence, slot.Sequence.Value);
            Assert.Equal(publisher.Batches[(int)sequence].Body.ToArray(), body);
        }
    }

    [Fact]
    public async Task W6_a_batch_that_f_1_witnesses_got_is_fetched_by_the_others_and_certified()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1);
        await publisher.SendAsync(publisher.Append());

        TipFrame tip = await publisher.Calls[0].NextAsync<TipFrame>();
        Assert.True(QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? certificate));
        Assert.Equal(new Slot(publisher.Header.Id, Sequence.Zero), certificate.Batch.Slot);
    }

    [Fact]
    public async Task W9_a_witness_whose_disk_was_wiped_says_so_and_never_acks_again()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        await cluster.StopAsync(0);
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(1, 2, 3);

        // Without the first one there is no quorum but with the last, and it stops only when a peer has its ack.
        await publisher.PublishAsync();
        using (TestConnection peer = new(cluster, 1))
        using (TestCall<ISubscribeRequest, ISubscribeReply> watching = await peer.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: false)))
        {
            await watching.NextAsync<TipFrame>();
        }

        await cluster.StopAsync(3);
        Directory.Delete(cluster.DataDirectory(3), recursive: true);
        RunningWitness wiped = await cluster.StartAsync(3);

        await wiped.WhenLogged("MEMORY LOST");
        using TestConnection connection = new(cluster, 3);
        Assert.Equal(WitnessState.NotAcking, (await connection.StatusAsync(cluster.Reader)).State);
        await cluster.StopAsync(3);
        await (await cluster.StartAsync(3)).WhenLogged("ready on");
        using TestConnection again = new(cluster, 3);
        Assert.Equal(WitnessState.NotAcking, (await again.StatusAsync(cluster.Reader)).State);
    }
}
