using Bft.Configuration;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Sim;
using Bft.Storage.Tests;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Ingress;

/// <summary>What a peer answers to a fetch is believed only as far as it proves it; a lie ends the call.</summary>
public sealed class FetchIntakeTests : IDisposable
{
    private static readonly WitnessIndex Peer = new(1);
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly TestStream _other;
    private readonly ClusterFile _file;

    public FetchIntakeTests()
    {
        (_stream, _other) = (_cluster.Stream(), _cluster.Stream(publisher: 1));
        _stream.AppendMany(4);
        _other.AppendMany(4);
        _file = PolicyFile.Of(
            _cluster, "  orders:\n    publish: [first]\n    read: [\"*\"]\n", new ClientEntry("first", _stream.Signer.PublicKey), new ClientEntry("second", _other.Signer.PublicKey));
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void W8_certified_batches_come_through_once()
    {
        CatchUpIntake intake = CatchUp();

        Assert.IsType<CertificateInput>(intake.Take(Certified(_stream, 0, 3)).Input);
        for (int slot = 0; slot < 4; slot++)
        {
            Assert.Equal(_stream[slot].Reference, Assert.IsType<BatchInput>(intake.Take(Body(_stream, slot)).Input).Batch.Statement.Reference);
        }

        Assert.NotNull(intake.Take(Body(_stream, 3)).Fault);
        Assert.False(intake.IsComplete);
        Assert.Equal(default, intake.Take(new FetchedFrame(_stream.Id, new Sequence(3))));
        Assert.True(intake.IsComplete);
    }

    [Fact]
    public void S1_what_the_certificate_does_not_cover_ends_the_call()
    {
        Assert.NotNull(CatchUp().Take(Certified(_other, 0, 3)).Fault);

        CatchUpIntake intake = CatchUp();
        Assert.NotNull(intake.Take(Body(_stream, 0)).Fault); // before any certificate
        intake.Take(Certified(_stream, 0, 1));
        Assert.NotNull(intake.Take(Body(_stream, 2)).Fault);
        Assert.NotNull(intake.Take(Body(_other, 0)).Fault);
        Assert.NotNull(intake.Take(new BodyFrame(_stream[1].Reference.Slot, _stream[3].Body)).Fault);
        Assert.NotNull(intake.Take(new MalformedFrame(RejectReason.Malformed)).Fault);

        // A statement of another chain in place of the one that the certificate's names.
        CertifiedFrame range = Certified(_stream, 0, 1);
        VerifiedBatch beside = _stream.Batch(0, default, "beside");
        Assert.NotNull(CatchUp().Take(range with { Statements = [SignedStatement.From(beside.Statement), range.Statements[1]] }).Fault);
    }

    [Fact]
    public void S1_the_bodies_of_an_earlier_range_are_not_awaited_any_more()
    {
        CatchUpIntake intake = CatchUp();
        intake.Take(Certified(_stream, 0, 1));
        intake.Take(Certified(_stream, 2, 3));

        Assert.NotNull(intake.Take(Body(_stream, 0)).Fault);
    }

    [Fact]
    public void S3_a_floor_of_another_stream_is_a_lie_and_one_of_this_stream_goes_to_the_core()
    {
        ReadOnlyMemory<byte> proof = _cluster.Certify(_stream[1].Reference).Certificate.Bytes;
        CatchUpIntake intake = CatchUp();

        Assert.NotNull(intake.Take(new FloorFrame(_other[2].Reference.Slot, proof)).Fault);
        Assert.NotNull(intake.Take(new FloorFrame(_stream[2].Reference.Slot, proof[1..])).Fault);
        Assert.IsType<FloorInput>(intake.Take(new FloorFrame(_stream[2].Reference.Slot, proof)).Input);
    }

    [Fact]
    public void W8_a_peer_that_has_nothing_and_named_no_floor_is_reported_as_lacking()
    {
        Assert.IsType<LackingInput>(CatchUp().Take(new FetchedFrame(_stream.Id, null)).Input);

        CatchUpIntake intake = CatchUp();
        intake.Take(new FloorFrame(_stream[2].Reference.Slot, _cluster.Certify(_stream[1].Reference).Certificate.Bytes));
        Assert.Null(intake.Take(new FetchedFrame(_stream.Id, null)).Input);
    }

    [Fact]
    public void W6_only_the_batch_that_was_asked_for_is_taken_and_only_from_who_may_publish()
    {
        CatchUpIntake intake = One(_stream, 1);
        Assert.NotNull(intake.Take(Batch(_stream[2])).Fault);
        Assert.NotNull(intake.Take(Batch(_other[1])).Fault);
        Assert.NotNull(intake.Take(Batch(_stream.Batch(1, Ancestor.Previous(_stream[0].Digest), "another"))).Fault);
        BatchFrame right = Batch(_stream[1]);
        Assert.NotNull(intake.Take(new BatchFrame(right.Batch with { Signature = _stream.Signer.Sign([1]) })).Fault);
        Assert.Equal(_stream[1].Reference, Assert.IsType<BatchInput>(intake.Take(right).Input).Batch.Statement.Reference);
        intake.Take(new FetchedFrame(_stream.Id, null));
        Assert.True(intake.IsComplete);

        // The policy does not let the second client publish: nothing comes of it, and it is no lie of the peer's.
        Assert.Equal(default, One(_other, 1).Take(Batch(_other[1])));
    }

    [Fact]
    public void W8_a_repair_takes_what_was_ordered_and_no_lie()
    {
        using StoringWitness witness = Storing(_stream);
        RepairOrder order = new(_stream.Id, new Sequence(1), new Sequence(2), IsCertificate: false, WithBodies: true, Peer, 1);

        RepairIntake intake = Repair(witness, order);
        Assert.NotNull(intake.Take(Certified(_other, 0, 3)).Fault);
        Assert.NotNull(intake.Take(Body(_stream, 1)).Fault);
        Assert.IsType<RepairRangeInput>(intake.Take(Certified(_stream, 0, 3)).Input);
        Assert.NotNull(intake.Take(Body(_stream, 0)).Fault); // not ordered
        Assert.NotNull(intake.Take(new BodyFrame(_stream[1].Reference.Slot, _stream[3].Body)).Fault);
        intake.Take(Certified(_stream, 0, 3));
        Assert.IsType<RepairBodyInput>(intake.Take(Body(_stream, 2)).Input);
        Assert.NotNull(intake.Take(Body(_stream, 2)).Fault);
        Assert.NotNull(intake.Take(new MalformedFrame(RejectReason.Malformed)).Fault);
        Assert.False(intake.IsComplete);
        intake.Take(new FetchedFrame(_stream.Id, new Sequence(3)));
        Assert.True(intake.IsComplete);
    }

    [Fact]
    public void C2_a_repair_that_shows_another_certified_batch_is_proof_of_a_fork()
    {
        // A quorum that is faulty certified two chains; this witness stored one of them.
        using StoringWitness witness = Storing(_stream);
        TestStream fork = _cluster.Stream();
        fork.Append("forked");
        fork.AppendMany(3);
        RepairOrder order = new(_stream.Id, Sequence.Zero, new Sequence(3), IsCertificate: false, WithBodies: true, Peer, 1);

        StoredForkInput proof = Assert.IsType<StoredForkInput>(Repair(witness, order).Take(Certified(fork, 0, 3)).Input);
        witness.Do(proof.Apply);

        Assert.Equal(_cluster.Quorum.Select(index => _cluster.Committee.KeyOf(new WitnessIndex(index))).Order(), witness.Role.Evidence.Select(evidence => evidence.Offender).Order());
    }

    private StoringWitness Storing(TestStream stream)
    {
        StoringWitness witness = new(_cluster, new SimulatedDisk());
        witness.OnBatch([.. stream.Batches]);
        witness.Certify(_cluster, stream[3], from: 0);
        Assert.True(witness.Store.IsStored(stream[3].Reference.Slot));
        return witness;
    }

    private CatchUpIntake CatchUp() => new(_file, Ed25519.Instance, _cluster.Batches, new FetchOrder(_stream.Id, Sequence.Zero, Peer), 1 << 20);

    private CatchUpIntake One(TestStream stream, int slot) =>
        new(_file, Ed25519.Instance, _cluster.Batches, new FetchOrder(stream.Id, new Sequence((ulong)slot), Peer, stream[slot].Digest), 1 << 20);

    private RepairIntake Repair(StoringWitness witness, RepairOrder order) => new(_file, Ed25519.Instance, _cluster.Batches, witness.Store, order);

    private CertifiedFrame Certified(TestStream stream, int from, int to) => new(
        _cluster.Certify(stream[to].Reference, (ulong)from).Certificate.Bytes,
        [.. Enumerable.Range(from, to - from + 1).Select(slot => SignedStatement.From(stream[slot].Statement))]);

    private static BodyFrame Body(TestStream stream, int slot) => new(stream[slot].Reference.Slot, stream[slot].Body);

    private static BatchFrame Batch(VerifiedBatch batch) => new(new SignedBatch(batch.Statement.Statement.Bytes, batch.Statement.Signature, batch.Body));
}
