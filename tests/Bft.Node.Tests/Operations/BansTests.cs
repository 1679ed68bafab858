namespace Bft.Node.Tests.Operations;

public sealed class BansTests
{
    private static readonly EdgeLimits Limits = EdgeLimits.Default with { BanEntriesMax = 3 };
    private readonly Bans<string> _bans = new(Limits);

    [Fact]
    public void A_ban_doubles_up_to_ten_minutes()
    {
        long now = 0;
        int[] seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600];
        foreach (int expected in seconds)
        {
            Assert.Equal(TimeSpan.FromSeconds(expected), Ban("a", now));
            Assert.Equal(TimeSpan.FromSeconds(expected), _bans.Remaining("a", now));
            now += expected * 1000;
            Assert.Equal(TimeSpan.Zero, _bans.Remaining("a", now));
        }
    }

    [Fact]
    public void A_ban_is_forgiven_step_by_step()
    {
        Ban("a", 0); // 1 s
        Ban("a", 1000); // 2 s
        Assert.Equal(TimeSpan.FromSeconds(4), Ban("a", 3000)); // to 7,000
        Assert.Equal(TimeSpan.FromSeconds(4), Ban("a", 7000 + 300_000)); // one step less than 8
        Assert.Equal(TimeSpan.FromSeconds(1), Ban("a", 10_000_000));
    }

    [Fact]
    public void Offences_fade()
    {
        Assert.Null(_bans.Offend("a", 60, 0));
        Assert.Null(_bans.Offend("a", 60, 60_000)); // 90
        Assert.NotNull(_bans.Offend("a", 10, 60_000));
        Assert.Null(_bans.Offend("a", 99, 60_500)); // banned already
    }

    [Fact]
    public void What_led_to_a_ban_counts_for_no_other()
    {
        Ban("a", 0);
        Assert.Null(_bans.Offend("a", 50, 1000)); // it is over
        Assert.Equal(TimeSpan.Zero, _bans.Remaining("a", 1000));
    }

    [Fact]
    public void A_banned_one_is_let_in_a_few_times_a_second()
    {
        Assert.All(Enumerable.Range(0, 100), _ => Assert.True(_bans.MayEnter("a", 0)));
        Ban("a", 0);
        Assert.Equal(10, Enumerable.Range(0, 1000).Count(ms => _bans.MayEnter("a", ms)));
        Assert.True(_bans.MayEnter("a", 1000));
        Assert.True(_bans.MayEnter("b", 0));
    }

    [Fact]
    public void Who_offended_longest_ago_is_forgotten_first()
    {
        Ban("a", 0);
        Ban("b", 0);
        Ban("c", 0);
        _bans.Offend("a", 1, 1);
        Ban("d", 1);
        Assert.Equal(TimeSpan.Zero, _bans.Remaining("b", 1));
        Assert.NotEqual(TimeSpan.Zero, _bans.Remaining("a", 1));
        Assert.NotEqual(TimeSpan.Zero, _bans.Remaining("c", 1));
        Assert.NotEqual(TimeSpan.Zero, _bans.Remaining("d", 1));
    }

    private TimeSpan? Ban(string key, long nowMs) => _bans.Offend(key, Limits.OffencesMax, nowMs);
}
