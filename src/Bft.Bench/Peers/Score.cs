using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Results;

namespace Bft.Bench.Peers;

/// <summary>What one contender did in all rounds; medians over them. What could not be measured is NaN.</summary>
internal sealed class Score
{
    private readonly List<(int Window, Rate Rate)> _rates = [];
    private readonly List<LatencyProbe> _alone = [];

    /// <summary>Of the window at which it was fastest. Unit: messages per second.</summary>
    public double Best => Windows.Select(RateAt).DefaultIfEmpty(double.NaN).Max();

    private int BestWindow => Windows.MaxBy(RateAt);

    private IEnumerable<int> Windows => _rates.Select(one => one.Window).Distinct();

    public void Add(int window, Rate rate) => _rates.Add((window, rate));

    public void Add(LatencyProbe alone) => _alone.Add(alone);

    /// <summary>With one message in flight. Unit: milliseconds.</summary>
    public double Acked(double share) => Median(_alone.Select(probe => probe.Certified.Quantile(share) / 1e6));

    /// <inheritdoc cref="Acked"/>
    public double Delivered(double share) => Median(_alone.Select(probe => probe.Delivered.Quantile(share) / 1e6));

    public IEnumerable<Figure> Figures()
    {
        if (_rates.Count > 0)
        {
            foreach (int window in Windows.Order())
            {
                yield return new(string.Create(CultureInfo.InvariantCulture, $"perSecondWindow{window}"), string.Create(CultureInfo.InvariantCulture, $"messages/s, {window:N0} in flight"), RateAt(window));
            }

            yield return new("bestPerSecond", "messages/s, best of these", Best);
            yield return new("bestWindow", "in flight at the best", BestWindow);
            yield return new("cpuSecondsPerMillionServers", "CPU s per million at the best, all servers", Median(At(BestWindow).Select(rate => rate.ServerCpu)), "N2");
            yield return new("cpuSecondsPerMillionClients", "CPU s per million at the best, publisher and consumer", Median(At(BestWindow).Select(rate => rate.ClientCpu)), "N2");
        }

        if (_alone.Count > 0)
        {
            yield return new("ackedMillisecondsP50", "one in flight, acked p50 (ms)", Acked(0.5), "N2");
            yield return new("ackedMillisecondsP99", "one in flight, acked p99 (ms)", Acked(0.99), "N2");
            yield return new("deliveredMillisecondsP50", "one in flight, delivered p50 (ms)", Delivered(0.5), "N2");
            yield return new("deliveredMillisecondsP99", "one in flight, delivered p99 (ms)", Delivered(0.99), "N2");
        }
    }

    /// <summary>This one's figures over a peer's: rates, for which more is better, and latencies, for which less is.</summary>
    public IEnumerable<Figure> RatiosTo(Score other, string name, string id)
    {
        if (_rates.Count > 0 && other._rates.Count > 0)
        {
            yield return new($"ratioToBestOf{id}", $"bft / best of {name}", Best / other.Best, "N2");
        }

        if (_alone.Count > 0 && other._alone.Count > 0)
        {
            yield return new($"ackedRatioP50To{id}", $"acked p50, bft / {name}", Acked(0.5) / other.Acked(0.5), "N2");
            yield return new($"ackedRatioP99To{id}", $"acked p99, bft / {name}", Acked(0.99) / other.Acked(0.99), "N2");
        }
    }

    private IEnumerable<Rate> At(int window) => _rates.Where(one => one.Window == window).Select(one => one.Rate);

    private double RateAt(int window) => Median(At(window).Select(rate => rate.PerSecond));

    private static double Median(IEnumerable<double> values) => values.Any() ? FaultyWorkload.Median(values) : double.NaN;
}
