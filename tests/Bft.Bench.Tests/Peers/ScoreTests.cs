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

    private static LatencyProbe Alone(long nanoseconds)
    {
        LatencyProbe probe = new(0, 1, _ => 0);
        probe.OnCertified(0, 1, nanoseconds);
        probe.OnDelivered(0, 1, nanoseconds);
        return probe;
    }
}
