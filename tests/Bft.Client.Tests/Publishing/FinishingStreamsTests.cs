using Bft.Client.Tests.Support;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Roles;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Wire;
using Bft.Wire.Frames;
using RoleOptions = Bft.Protocol.Publishing.PublisherOptions;

namespace Bft.Client.Tests.Publishing;

public sealed class FinishingStreamsTests : IDisposable
{
    private const int FetchTicks = 25;
    private readonly TestCluster _cluster = new(limits: ClusterLimits.Default with { WindowSlots = 1 });
    private readonly SentFrames _sent = new();
    private readonly FinishingStreams _streams;

    public FinishingStreamsTests() => _streams = new FinishingStreams(_cluster.Committee, _cluster.Batches, _sent);

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void P7_the_newest_four_are_finished_and_the_bodies_of_the_others_are_given_back()
    {
        TestStream[] streams = [.. Enumerable.Range(0, 7).Select(incarnation => _cluster.Stream(incarnation: (ulong)incarnation + 1))];
        SharedBody[] bodies = new SharedBody[streams.Length];
        foreach (int at in new[] { 1, 2, 4, 3, 0, 6, 5 })
        {
            VerifiedBatch held = SharedBodies.Owned(_cluster, streams[at].Append());
            bodies[at] = (SharedBody)held.BodyOwner!;
            PublisherRole role = RoleOf(streams[at]);
            role.Restore(null, [held]);
            _streams.Add(role, []);
        }

        Assert.Equal([false, false, false, true, true, true, true], streams.Select(stream => _streams.Has(stream.Header.Incarnation)));
        Assert.Equal([true, true, true, false, false, false, false], bodies.Select(SharedBodies.IsGivenBack));
        _streams.End();
        Assert.All(bodies, body => Assert.True(SharedBodies.IsGivenBack(body)));
    }

    [Fact]
    public void P5_what_is_covered_gives_its_body_back_and_is_finished_when_n_minus_f_have_the_certificate()
    {
        TestStream stream = _cluster.Stream();
        VerifiedBatch held = SharedBodies.Owned(_cluster, stream.Append());
        PublisherRole role = RoleOf(stream);
        role.Restore(null, [held]);
        _streams.Add(role, []);
        foreach (WitnessIndex witness in _cluster.Committee.Members)
        {
            _streams.OnConnected(witness);
        }

        Assert.Equal(4, _sent.Batches.Count);
        VerifiedCertificate certificate = _cluster.Certify(held.Reference);
        _streams.On(stream.Id, (publisher, effects) => publisher.OnCertificate(certificate, effects));
        Assert.True(SharedBodies.IsGivenBack((SharedBody)held.BodyOwner!));
        Assert.True(_streams.Has(stream.Header.Incarnation));

        for (int witness = 0; witness < _cluster.Size.Responsive; witness++)
        {
            _streams.On(stream.Id, (publisher, effects) => publisher.OnTip(new WitnessIndex(witness), certificate, effects));
        }

        Assert.False(_streams.Has(stream.Header.Incarnation));
    }

    [Fact]
    public void P7_bodies_that_lack_are_asked_of_one_witness_after_the_other_and_taken_as_far_as_the_window_goes()
    {
        TestStream stream = _cluster.Stream();
        stream.AppendMany(2);
        PublisherRole role = RoleOf(stream);
        role.Restore(null, []);
        _streams.OnConnected(new WitnessIndex(1));
        _streams.OnConnected(new WitnessIndex(3));
        _streams.Add(role, stream.Batches.Select(batch => batch.Statement));
        for (int tick = 0; tick < 2 * FetchTicks; tick++)
        {
            _streams.OnTick();
        }

        FetchFrame both = new(stream.Id, Sequence.Zero, new Sequence(1), WithBodies: true);
        Assert.Equal([(1, both), (3, both), (1, both)], _sent.Frames.Select(sent => (sent.To.Value, sent.Frame)));

        PooledBuffer wrong = Offer(stream[0].Reference.Slot, stream[1].Body.Span);
        Assert.Empty(role.Uncovered);
        PooledBuffer right = Offer(stream[0].Reference.Slot, stream[0].Body.Span);
        Assert.Equal(stream[0].Body.ToArray(), Assert.Single(role.Uncovered).Body.ToArray());
        PooledBuffer beyond = Offer(stream[1].Reference.Slot, stream[1].Body.Span); // P4: the window is one slot
        Assert.Single(role.Uncovered);
        Assert.All([wrong, right, beyond], buffer => Assert.Throws<ObjectDisposedException>(() => buffer.Memory));

        VerifiedCertificate certificate = _cluster.Certify(stream[0].Reference);
        _streams.On(stream.Id, (publisher, effects) => publisher.OnCertificate(certificate, effects));
        Offer(stream[1].Reference.Slot, stream[1].Body.Span);
        Assert.Equal(stream[1].Reference, Assert.Single(role.Uncovered).Reference);
        _streams.End();
    }

    private PublisherRole RoleOf(TestStream stream) => new(_cluster.Committee, stream.Header, stream.Signer, new RoleOptions());

    private PooledBuffer Offer(Slot slot, ReadOnlySpan<byte> body)
    {
        PooledBuffer buffer = PooledBuffer.Rent(body.Length);
        body.CopyTo(buffer.Memory.Span);
        _streams.OnBody(new BodyFrame(slot, buffer.Memory, buffer));
        return buffer;
    }
}
