using Bft.Bench.Load;

namespace Bft.Bench.Tests.Load;

public sealed class ScheduleTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(999.5)]
    [InlineData(1000)]
    [InlineData(1001)]
    [InlineData(123_456.789)]
    [InlineData(2_000_000)]
    public void Each_message_is_due_at_the_tick_at_which_it_is_sent(double rate)
    {
        Schedule schedule = new(rate);
        long sent = 0;
        for (long tick = 0; tick < 3000; tick++)
        {
            for (; sent < schedule.DueBy(tick); sent++)
            {
                Assert.Equal(tick, schedule.TickOf(sent));
            }
        }

        // In three seconds three times the rate, give or take the message that is about to be due.
        Assert.InRange(sent, (3 * rate) - 1, 3 * rate);
    }
}
