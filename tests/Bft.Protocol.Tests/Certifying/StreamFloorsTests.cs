using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;

namespace Bft.Protocol.Tests.Certifying;

public sealed class StreamFloorsTests : IDisposable
{
    private readonly TestCluster _cluster = new(); // n = 4, f = 1: three lack the slot, two of them by floor
    private readonly TestStream _stream;
    private readonly StreamFloors _floors;

    public StreamFloorsTests()
    {
        _stream = _cluster.Stream();
        _stream.AppendMany(10);
        _floors = new StreamFloors(_cluster.Committee);
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void R4_a_floor_is_accepted_when_n_minus_f_lack_the_slot_and_f_plus_1_of_them_by_floor()
    {
        Name(0, 6);
        Assert.Null(_floors.Accepted(new Sequence(2)));

        Name(1, 5);
        Assert.Null(_floors.Accepted(new Sequence(2)));

        _floors.OnTip(new WitnessIndex(2), new Sequence(1));
        Assert.Equal(new Sequence(5), _floors.Accepted(new Sequence(2)));
        Assert.Null(_floors.Accepted(new Sequence(1)));
        Assert.Null(_floors.Accepted(new Sequence(5)));
    }

    [Fact]
    public void R4_tips_below_the_slot_are_not_enough()
    {
        Name(0, 6);
        foreach (int witness in new[] { 1, 2, 3 })
        {
            _floors.OnTip(new WitnessIndex(witness), null);
        }

        Assert.Null(_floors.Accepted(new Sequence(2)));
    }

    [Fact]
    public void S3_a_lagging_witness_counts_itself_among_those_that_lack_the_slot()
    {
        Name(0, 6);
        Name(1, 6);
        _floors.OnTip(new WitnessIndex(3), new Sequence(1)); // itself

        Assert.Equal(new Sequence(6), _floors.Accepted(new Sequence(2)));
    }

    [Fact]
    public void R4_a_floor_counts_only_with_a_certificate_at_or_above_the_slot_before_it()
    {
        Assert.False(_floors.OnFloor(new WitnessIndex(0), new Slot(_stream.Id, new Sequence(7)), _cluster.Certify(_stream[5].Reference)));
        Assert.Null(_floors.FloorOf(new WitnessIndex(0)));

        TestStream other = _cluster.Stream(incarnation: 2);
        other.AppendMany(9);
        Assert.False(_floors.OnFloor(new WitnessIndex(0), new Slot(_stream.Id, new Sequence(7)), _cluster.Certify(other[8].Reference)));

        Assert.True(_floors.OnFloor(new WitnessIndex(0), new Slot(_stream.Id, new Sequence(7)), _cluster.Certify(_stream[6].Reference)));
        Assert.Equal(new Sequence(7), _floors.FloorOf(new WitnessIndex(0)));
    }

    [Fact]
    public void R4_who_does_not_serve_the_slot_that_it_named_counts_no_more()
    {
        Name(0, 3);
        Name(1, 6);
        Name(2, 6);
        Assert.Equal(new Sequence(3), _floors.Accepted(new Sequence(2)));

        _floors.OnUnserved(new WitnessIndex(0));
        Assert.Null(_floors.Accepted(new Sequence(3)));

        Name(3, 8);
        Assert.Equal(new Sequence(6), _floors.Accepted(new Sequence(3)));

        _floors.OnServed(new WitnessIndex(0));
        Assert.Equal(new Sequence(6), _floors.Accepted(new Sequence(3)));
        Assert.Equal(new Sequence(3), _floors.Accepted(new Sequence(2)));
    }

    [Fact]
    public void R4_moving_floors_of_correct_witnesses_do_not_stop_a_laggard()
    {
        foreach (int witness in new[] { 0, 1, 2 })
        {
            Name(witness, 3);
            _floors.OnUnserved(new WitnessIndex(witness));
            Name(witness, 6 + witness);
        }

        Assert.Equal(new Sequence(6), _floors.Accepted(new Sequence(3)));
        _floors.OnServed(new WitnessIndex(2));
        Assert.Equal(new Sequence(8), _floors.Accepted(new Sequence(3)));
    }

    [Fact]
    public void R4_an_older_tip_that_comes_late_does_not_make_a_witness_lack_a_slot()
    {
        Name(0, 6);
        Name(1, 6);
        _floors.OnTip(new WitnessIndex(2), new Sequence(4));
        _floors.OnTip(new WitnessIndex(2), new Sequence(1));

        Assert.Null(_floors.Accepted(new Sequence(2)));
        Assert.NotNull(_floors.Accepted(new Sequence(5)));
    }

    private void Name(int witness, int floor) =>
        Assert.True(_floors.OnFloor(new WitnessIndex(witness), new Slot(_stream.Id, new Sequence((ulong)floor)), _cluster.Certify(_stream[floor - 1].Reference)));
}
