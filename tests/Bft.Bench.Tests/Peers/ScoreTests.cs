using Bft.Bench.Load;
using Bft.Bench.Peers;
using Bft.Bench.Results;

namespace Bft.Bench.Tests.Peers;

public sealed class ScoreTests
{
    [Fact]
    public void The_best_window_is_that_of_the_medians_and_ratios_are_of_the_best()
    {
        Score bft = Of((1, 10), (1, 30), (1, 20), (1000, 500), (1000, 100), (1000, 600));
        Score peer = Of((1, 900), (1, 5), (1, 5), (1000, 40), (1000, 50), (1000, 60));

        Assert.Equal((500, 50), (bft.Best, peer.Best));
        Assert.Equal([20, 500, 500, 1000], bft.Figures().Take(4).Select(figure => figure.Value));
        Assert.Equal(["perSecondWindow1", "perSecondWindow1000", "bestPerSecond", "bestWindow"], bft.Figures().Take(4).Select(figure => figure.Name));
        Figure ratio = Assert.Single(bft.RatiosTo(peer, "nats", "Nats"));
        Assert.Equal(("ratioToBestOfNats", "bft / best of nats", 10), (ratio.Name, ratio.Label, ratio.Value));
    }

    [Fact]
    public void Latencies_are_medians_of_the_rounds_and_so_are_their_ratios()
    {
        Score bft = Of();
        Score peer = Of();
        foreach (long milliseconds in new long[] { 2, 8, 4 })
        {
            bft.Add(Alone(milliseconds * 1_000_000));
            peer.Add(Alone(milliseconds * 500_000));
        }

        Assert.Equal(4, bft.Acked(0.5), 1);
        Assert.Equal([2, 2], bft.RatiosTo(peer, "nats", "Nats").Select(figure => Math.Round(figure.Value, 1)));
    }

    [Fact]
    public void Acked_and_delivered_and_their_quantiles_are_figures_of_their_own()
    {
        Score bft = Of();
        Score peer = Of();
        bft.Add(Alone((2, 6, 98), (20, 60, 2)));
        peer.Add(Alone((1, 3, 98), (5, 9, 2)));

        Assert.Equal(
            [("ackedMillisecondsP50", 2), ("ackedMillisecondsP99", 20), ("deliveredMillisecondsP50", 6), ("deliveredMillisecondsP99", 60)],
            bft.Figures().Select(figure => (figure.Name, Math.Round(figure.Value))));
        Assert.Equal([("ackedRatioP50ToNats", 2), ("ackedRatioP99ToNats", 4)], bft.RatiosTo(peer, "nats", "Nats").Select(figure => (figure.Name, Math.Round(figure.Value, 1))));
    }

    [Fact]
    public void Costs_are_medians_at_the_best_window()
    {
        Score score = new();
        score.Add(1, new Rate(10, 90, 80));
        score.Add(1000, new Rate(500, 1, 2));
        score.Add(1000, new Rate(100, 3, 6));
        score.Add(1000, new Rate(600, 5, 4));
        score.Add(5000, new Rate(20, 70, 60));

        Assert.Equal([1000, 3, 4], score.Figures().Skip(4).Select(figure => figure.Value));
    }

    [Fact]
    public void Of_what_failed_there_is_no_figure()
    {
        Score bft = Of((1, 10));

        Assert.Empty(Of().Figures());
        Assert.Empty(bft.RatiosTo(Of(), "nats", "Nats"));
    }

    private static Score Of(params (int Window, double PerSecond)[] rates)
    {
        Score score = new();
        Array.ForEach(rates, rate => score.Add(rate.Window, new Rate(rate.PerSecond, 1, 1)));
        return score;
    }

    /// <summary>So many messages, each with these latencies. Unit: milliseconds.</summary>
    private static LatencyProbe Alone(params (long Acked, long Delivered, long Count)[] messages)
    {
        LatencyProbe probe = new(0, long.MaxValue, _ => 0);
        foreach ((long acked, long delivered, long count) in messages)
        {
            probe.OnCertified(0, count, acked * 1_000_000);
            probe.OnDelivered(0, count, delivered * 1_000_000);
        }

        return probe;
    }

    private static LatencyProbe Alone(long nanoseconds)
    {
        LatencyProbe probe = new(0, 1, _ => 0);
        probe.OnCertified(0, 1, nanoseconds);
        probe.OnDelivered(0, 1, nanoseconds);
        return probe;
    }
}
