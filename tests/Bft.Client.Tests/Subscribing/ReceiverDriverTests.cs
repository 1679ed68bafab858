using Bft.Client.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Client.Tests.Subscribing;

public sealed class ReceiverDriverTests : DriverFixture
{
    [Fact]
    public void R6_a_frame_of_a_subscription_that_was_closed_gives_back_room_and_memory()
    {
        PooledBuffer memory = PooledBuffer.Rent(100);
        BodyFrame body = new(new Slot(new StreamId(Sha256.Hash([1])), Sequence.Zero), memory.Memory, memory);
        ReceivedFrame received = Driver.NewIntake().Read(Server, SubscriptionChannel.Bodies, body);
        Assert.Equal(100, Driver.Credit.Bytes);

        Driver.Drop(received);

        Assert.Equal(0, Driver.Credit.Bytes);
        Assert.Throws<ObjectDisposedException>(() => memory.Memory);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void R4_a_watched_witness_that_serves_what_nobody_asked_for_loses_its_place(bool isBody)
    {
        VerifiedBatch batch = Cluster.Stream(1).Append();
        Run(100);
        WitnessIndex watched = Outputs.Watched[0];
        PooledBuffer memory = PooledBuffer.Rent(100);

        Driver.OnFrame(watched, SubscriptionChannel.Tips, isBody
            ? new BodyFrame(batch.Reference.Slot, memory.Memory, memory)
            : new CertifiedFrame(Cluster.Certify(batch.Reference).Certificate.Bytes, [SignedStatement.From(batch.Statement)]));

        Assert.DoesNotContain(watched, Outputs.Watched);
        Assert.Equal(0, Driver.Credit.Bytes);
        if (isBody)
        {
            Assert.Throws<ObjectDisposedException>(() => memory.Memory);
        }
    }

    [Fact]
    public void R4_a_tip_that_proves_nothing_ends_the_watch_and_tips_that_wait_are_bounded()
    {
        QuorumCertificate proof = Cluster.Certify(Cluster.Stream(1).Append().Reference).Certificate;
        Run(100);
        WitnessIndex few = Outputs.Watched[0];
        WitnessIndex many = Outputs.Watched[1];
        Forge(few, 0);
        for (int i = 0; i < 1024; i++)
        {
            Forge(many, i);
        }

        Assert.Contains(many, Outputs.Watched);
        Forge(many, 1024); // one too many to wait: it is looked at now
        Assert.DoesNotContain(many, Outputs.Watched);
        Assert.Contains(few, Outputs.Watched);

        Run(100);
        Assert.Contains(Outputs.Notices, notice => notice is WitnessMisbehaved misbehaved && misbehaved.Witness == few);

        void Forge(WitnessIndex from, int stream)
        {
            BatchRef batch = new(new StreamId(Sha256.Hash(BitConverter.GetBytes(stream))), Sequence.Zero, Sha256.Hash([1]));
            Driver.OnFrame(from, SubscriptionChannel.Tips, new TipFrame(new QuorumCertificate(batch, proof.Epoch, proof.Entries).Bytes));
        }
    }

    [Fact]
    public void R4_f_plus_1_witnesses_that_refuse_at_a_time_end_it_and_fewer_do_not()
    {
        Run(100);
        WitnessIndex[] watched = Outputs.Watched;
        Refuse(watched[0]);
        Assert.Null(Outputs.RefusedWhy);

        // Its cluster.yaml is read again, and when there is a place for it, it serves.
        Outputs.Close(watched[1], SubscriptionChannel.Tips);
        Driver.OnClosed(watched[1], SubscriptionChannel.Tips, "The connection broke.");
        Run(3000);
        Assert.Contains(watched[0], Outputs.Watched);
        Refuse(watched[2]);
        Assert.Null(Outputs.RefusedWhy);

        Refuse(watched[0]);
        Assert.NotNull(Outputs.RefusedWhy);

        void Refuse(WitnessIndex witness) => Driver.OnFrame(witness, SubscriptionChannel.Tips, new EndFrame(EndReason.NotAllowed, "no."));
    }
}
