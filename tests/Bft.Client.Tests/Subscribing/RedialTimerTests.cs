namespace Bft.Client.Tests.Subscribing;

public sealed class RedialTimerTests
{
    private const int LastMs = 2000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_pause_grows_to_two_seconds_or_half_more_and_a_good_session_ends_it(ulong chance)
    {
        RedialTimer timer = new(chance);
        Assert.True(timer.IsDue(0));
        long now = 0;
        for (int i = 0; i < 30; i++)
        {
            timer.OnEnded(openedAtMs: null, now);
            long pause = 0;
            for (; !timer.IsDue(now + pause); pause++)
            {
                Assert.True(pause < LastMs * 3 / 2, $"{pause} ms");
            }

            Assert.InRange(pause, i == 0 ? 25 : i > 10 ? LastMs / 2 : 1, i == 0 ? 75 : LastMs * 3 / 2);
            now += pause;
        }

        timer.OnEnded(openedAtMs: now - 4999, now); // not good enough
        Assert.False(timer.IsDue(now + (LastMs / 2) - 1));
        timer.OnEnded(openedAtMs: now - 5000, now);
        Assert.True(timer.IsDue(now));
        timer.OnEnded(openedAtMs: null, now);
        Assert.True(timer.IsDue(now + 75));
    }
}
