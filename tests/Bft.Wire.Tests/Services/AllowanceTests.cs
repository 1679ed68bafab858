using Bft.Protocol.Model;
using Bft.Wire.Frames;
using Bft.Wire.Services;

namespace Bft.Wire.Tests.Services;

public sealed class AllowanceTests
{
    private const long Second = 1_000_000;
    private readonly Allowance _allowance = new(perSecond: 1_000, max: 5_000);

    [Fact]
    public void What_was_saved_up_is_spent_at_once_and_the_rest_is_waited_for()
    {
        Assert.Equal(TimeSpan.Zero, _allowance.Spend(5_000, Second));
        Assert.Equal(TimeSpan.FromSeconds(3), _allowance.Spend(2_000, Second)); // and a second more, so that nobody is woken for one frame
        Assert.Equal(TimeSpan.Zero, _allowance.Spend(0, 4 * Second));
        Assert.Equal(TimeSpan.Zero, _allowance.Spend(1_000, 4 * Second));
        Assert.NotEqual(TimeSpan.Zero, _allowance.Spend(1, 4 * Second));
    }

    [Fact]
    public void However_long_it_was_silent_no_more_is_saved_up_than_the_most()
    {
        Assert.Equal(TimeSpan.Zero, _allowance.Spend(5_000, 0));
        _allowance.Earn(1_000_000_000);
        Assert.Equal(TimeSpan.Zero, _allowance.Spend(5_000, 365L * 86_400 * Second));
        Assert.NotEqual(TimeSpan.Zero, _allowance.Spend(1, 365L * 86_400 * Second));
    }

    [Fact]
    public void However_much_reason_was_given_no_more_is_saved_up_than_the_most()
    {
        _allowance.Earn(1_000_000_000);

        Assert.Equal(TimeSpan.Zero, _allowance.Spend(5_000, 0));
        Assert.NotEqual(TimeSpan.Zero, _allowance.Spend(1, 0));
    }

    [Fact]
    public void No_clock_is_too_late() => Assert.Equal(TimeSpan.Zero, _allowance.Spend(5_000, long.MaxValue));

    [Fact]
    public void Whoever_is_given_reason_for_what_it_costs_never_waits()
    {
        for (int i = 0; i < 100_000; i++)
        {
            _allowance.Earn(Allowance.Signature);
            Assert.Equal(TimeSpan.Zero, _allowance.Spend(Allowance.Signature, Second));
        }
    }

    [Fact]
    public void Time_pays_for_every_fraction_and_a_clock_read_out_of_order_for_nothing_twice()
    {
        _allowance.Spend(5_000, 0);
        for (long now = 0; now <= 5 * Second; now += 333)
        {
            _allowance.Spend(0, now);
            _allowance.Spend(0, now - 333); // a call that looked at the clock before another
        }

        Assert.Equal(TimeSpan.Zero, _allowance.Spend(4_900, 5 * Second));
        Assert.NotEqual(TimeSpan.Zero, _allowance.Spend(101, 5 * Second));
    }

    [Fact]
    public void Acks_cost_by_their_length_whatever_they_come_in()
    {
        Assert.Equal(Allowance.Frame + 10, Allowance.CostOf(new AcksFrame(new byte[1024])));
        Assert.Equal(Allowance.Frame + 10, Allowance.CostOf(new RecallFrame(new byte[1024], new Run(1))));
        Assert.Equal(Allowance.Frame, Allowance.CostOf(new HeartbeatFrame()));
    }
}
