using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;

namespace Bft.Storage.Tests;

/// <summary>S3 on the disk: slots without bodies, and a stream that begins in the middle.</summary>
public sealed class SkippingTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly SimulatedDisk _disk = new();
    private readonly TestStream _stream;

    public SkippingTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(10);
    }

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void S3_slots_without_bodies_are_kept_over_restarts_and_checkpoints_and_no_body_is_read_there(bool isCheckpointed)
    {
        using (StoringWitness witness = new(_cluster, _disk))
        {
            Begin(witness);
            Name(witness, 1, 6);
            Name(witness, 2, 6);
            Show(witness, 3, 0);
            Assert.Equal((new Sequence(4), new Sequence(4)), (witness.Log(_stream).Floor, witness.Log(_stream).End));
            Assert.True(QuorumCertificate.TryParse(witness.Log(_stream).ReadFloorCertificate(new Sequence(4)).Span, out QuorumCertificate? proof));
            Assert.Equal(new Sequence(3), proof.Batch.Sequence);
            if (isCheckpointed)
            {
                witness.Journal.Checkpoint(witness.Role);
            }
        }

        using StoringWitness again = new(_cluster, _disk, run: 2);
        again.Certify(_cluster, _stream[9]);
        Name(again, 1, 6);
        Name(again, 2, 6);
        Show(again, 9, 4);
        again.OnBatch([.. _stream.Batches.Skip(6)]);

        StreamLog log = again.Log(_stream);
        Assert.Equal((new Sequence(6), new Sequence(10)), (log.Floor, log.End));
        for (int slot = 0; slot < 10; slot++)
        {
            Sequence sequence = new((ulong)slot);
            Assert.True(log.ReadStatement(sequence).Bytes.Span.SequenceEqual(_stream[slot].Statement.Statement.Bytes.Span));
            byte[] body = new byte[_stream[slot].Body.Length];
            if (slot < 6)
            {
                Assert.Throws<StoreDamageException>(() => log.ReadBody(sequence, body));
            }
            else
            {
                log.ReadBody(sequence, body);
                Assert.True(body.AsSpan().SequenceEqual(_stream[slot].Body.Span));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void S3_a_stream_that_begins_in_the_middle_is_kept_over_restarts_and_checkpoints(bool isCheckpointed)
    {
        using (StoringWitness witness = new(_cluster, _disk))
        {
            Begin(witness);
            NameStatements(witness, 1, 5);
            NameStatements(witness, 2, 5);
            Assert.Equal((new Sequence(5), new Sequence(5)), (witness.Log(_stream).FirstKept, witness.Log(_stream).End));
            if (isCheckpointed)
            {
                witness.Journal.Checkpoint(witness.Role);
            }
        }

        using StoringWitness again = new(_cluster, _disk, run: 2);
        StreamLog log = again.Log(_stream);
        Assert.Equal((new Sequence(5), new Sequence(5), new Sequence(5)), (log.FirstKept, log.Floor, log.End));
        Assert.Null(log.RangeFrom(Sequence.Zero));
        Show(again, 9, 5);
        again.OnBatch([.. _stream.Batches.Skip(5)]);
        Assert.Equal(new Sequence(10), log.End);
        Assert.Equal(new Sequence(9), log.RangeFrom(new Sequence(5))!.Value.To);
        again.OnBatch(_stream[3], _stream.Append());
        Assert.Equal(_stream[10].Reference, Assert.Single(again.Acks).Batch);
    }

    private void Begin(StoringWitness witness)
    {
        witness.OnBatch(_stream[0]);
        witness.Certify(_cluster, _stream[0]);
        witness.Certify(_cluster, _stream[9]);
    }

    private void Name(StoringWitness witness, int peer, int floor, bool isOfStatements = false) => witness.Do((role, effects) => role.OnFloor(
        new WitnessIndex(peer), new Slot(_stream.Id, new Sequence((ulong)floor)), _cluster.Certify(_stream[floor - 1].Reference), isOfStatements, effects));

    private void NameStatements(StoringWitness witness, int peer, int floor) => Name(witness, peer, floor, isOfStatements: true);

    private void Show(StoringWitness witness, int top, int from) => witness.Do((role, effects) => role.OnCertificate(
        _cluster.Certify(_stream[top].Reference, (ulong)from, 1, 2, 3), [.. _stream.Batches.Skip(from).Take(top - from + 1).Select(batch => batch.Statement)], effects));
}
