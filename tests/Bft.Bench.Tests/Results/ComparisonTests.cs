using Bft.Bench.Results;

namespace Bft.Bench.Tests.Results;

public sealed class ComparisonTests
{
    [Theory]
    [InlineData("certifiedPerSecond", 91, false)]
    [InlineData("certifiedPerSecond", 89, true)]
    [InlineData("certifiedPerSecond", 200, false)]
    [InlineData("ofLight", 89, true)]
    [InlineData("certifiedMillisecondsP99", 109, false)]
    [InlineData("certifiedMillisecondsP99", 111, true)]
    [InlineData("certifiedMillisecondsP99", 50, false)]
    [InlineData("cpuSecondsPerMillionWitness0", 111, true)]
    public void More_than_a_tenth_worse_is_a_loss(string figure, double measured, bool isLoss)
    {
        Comparison comparison = Assert.Single(Comparison.Of(Case(figure, measured), Case(figure, 100)));
        Assert.Equal((isLoss, measured / 100), (comparison.IsLoss, comparison.Ratio));
    }

    [Theory]
    [InlineData("ratePerSecond")]
    [InlineData("lightPerSecond")]
    [InlineData("transportPerSecond")]
    [InlineData("lightCpuSecondsPerMillion")]
    [InlineData("gcPauseMillisecondsPerSecondWitness0")]
    [InlineData("certifiedMillisecondsMax")]
    [InlineData("certifiedMillisecondsP999")]
    [InlineData("certifiedMillisecondsP99WithoutFault")]
    [InlineData("certifiedPerSecondWithoutFault")]
    [InlineData("payloadBytes")]
    [InlineData("seconds")]
    [InlineData("batchMessagesMax")]
    public void What_is_neither_good_nor_bad_is_not_compared(string figure) => Assert.Empty(Comparison.Of(Case(figure, 1), Case(figure, 100)));

    [Fact]
    public void What_was_not_published_or_was_nothing_is_not_compared()
    {
        Assert.Empty(Comparison.Of(Case("certifiedPerSecond", 1), Case("deliveredPerSecond", 1)));
        Assert.Empty(Comparison.Of(Case("certifiedPerSecond", 1), Case("certifiedPerSecond", 0)));
        Assert.Empty(Comparison.Of(Case("certifiedPerSecond", double.NaN), Case("certifiedPerSecond", 1)));
    }

    private static BenchCase Case(string figure, double value) => new("throughput", "100 B", [new(figure, figure, value)]);
}
