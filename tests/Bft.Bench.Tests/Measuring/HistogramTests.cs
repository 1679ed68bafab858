using Bft.Bench.Measuring;

namespace Bft.Bench.Tests.Measuring;

public sealed class HistogramTests
{
    [Fact]
    public void Every_value_falls_into_a_bucket_that_holds_it_and_is_no_wider_than_promised()
    {
        Random random = new(1);
        IEnumerable<long> values = [.. Enumerable.Range(0, 2000).Select(value => (long)value), .. Enumerable.Range(0, 10_000).Select(_ => random.NextInt64() >> random.Next(63)), long.MaxValue];
        foreach (long value in values)
        {
            int index = Histogram.IndexOf(value);
            long highest = Histogram.HighestOf(index);
            long below = index == 0 ? -1 : Histogram.HighestOf(index - 1);

            Assert.True(below < value && value <= highest, $"{value} is not in ({below}, {highest}].");
            Assert.True(highest - below == 1 || highest - below <= (below + 1) / Histogram.SubBuckets, $"The bucket of {value} is {highest - below} wide.");
        }
    }

    [Fact]
    public void Quantiles_are_those_of_the_values_themselves_up_to_a_bucket()
    {
        Random random = new(2);
        long[] values = [.. Enumerable.Range(0, 20_001).Select(_ => (long)Math.Exp(random.NextDouble() * 25))];
        Histogram histogram = new();
        Array.ForEach(values, value => histogram.Record(value));
        Array.Sort(values);

        foreach (double share in new[] { 0, 0.001, 0.5, 0.9, 0.99, 0.999, 1 })
        {
            long exact = values[Math.Max(0, (int)Math.Ceiling(share * values.Length) - 1)];
            Assert.InRange(histogram.Quantile(share), exact, exact + (exact / Histogram.SubBuckets) + 1);
        }

        Assert.Equal(values[^1], histogram.Max);
        Assert.Equal(values[^1], histogram.Quantile(1));
        Assert.Equal(values.Length, histogram.Count);
    }

    [Fact]
    public void One_slow_message_in_a_hundred_shows_above_p99_and_not_below()
    {
        Histogram histogram = new();
        histogram.Record(10, 99);
        histogram.Record(1_000_000, 1);

        Assert.Equal(10, histogram.Quantile(0.99));
        Assert.Equal(1_000_000, histogram.Quantile(0.991));
    }

    [Fact]
    public void Two_histograms_added_are_one()
    {
        (Histogram one, Histogram other) = (new(), new());
        one.Record(5, 3);
        other.Record(700, 2);
        one.Add(other);

        Assert.Equal((5, 700, 5), (one.Quantile(0.6), one.Quantile(0.61), one.Count));
    }

    [Fact]
    public void Nothing_recorded_is_zero_and_a_value_below_zero_counts_as_zero()
    {
        Histogram histogram = new();
        Assert.Equal((0, 0), (histogram.Quantile(0.5), histogram.Max));

        histogram.Record(-7);
        Assert.Equal((0, 1), (histogram.Quantile(1), histogram.Count));
    }
}
