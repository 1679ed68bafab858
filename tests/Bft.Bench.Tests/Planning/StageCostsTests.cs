using Bft.Bench.Planning;

namespace Bft.Bench.Tests.Planning;

public sealed class StageCostsTests
{
    [Fact]
    public void What_is_written_is_read_again() => Assert.Equal(Given.Costs, StageCosts.Parse(Given.Costs.ToJson()));

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("null", "empty")]
    [InlineData("{}", "machine")]
    [InlineData("{\"machine\":\"x\",\"speed\":1}", "speed")]
    public void What_is_no_file_of_costs_is_refused(string text, string problem) =>
        Assert.Contains(problem, Assert.Throws<FormatException>(() => StageCosts.Parse(text)).Message, StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData("\"flush\": 0.001", "\"flush\": -1", "from 0 on")]
    [InlineData("\"beforeShare\": 0.5", "\"beforeShare\": 2", "beforeShare")]
    [InlineData("\"processorShare\": 1", "\"processorShare\": 0", "processorShare")]
    [InlineData("\"wireBytesPerByte\": 1.05", "\"wireBytesPerByte\": 0.5", "wireBytesPerByte")]
    [InlineData("\"perBatch\": 0.002", "\"perBatch\": 0", "a batch costs something")]
    public void What_no_machine_costs_is_refused(string cost, string other, string problem)
    {
        string json = Given.Costs.ToJson();
        Assert.Contains(cost, json, StringComparison.Ordinal);

        Assert.Contains(problem, Assert.Throws<FormatException>(() => StageCosts.Parse(json.Replace(cost, other, StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fit_finds_what_the_runs_were_made_of()
    {
        const double perBatch = 2e-3;
        const double perByte = 5e-9;
        const double perMessage = 0.3e-6;
        Trial light = Run(200, 800_000, 5000);
        Trial heavy = Run(100, 26_000_000, 1600);
        Trial many = Run(100, 26_000_000, 249_400);

        ProcessWork fitted = WorkFit.Of(light, heavy, many, trial => trial.Witness);

        Assert.Equal(perBatch, fitted.PerBatch, 8);
        Assert.Equal(perByte, fitted.PerByte, 14);
        Assert.Equal(perMessage, fitted.PerMessage, 11);

        static Trial Run(double batches, double bytes, double messages) => new(batches, bytes, messages, (batches * perBatch) + (bytes * perByte) + (messages * perMessage), 0, 0, 0);
    }

    [Fact]
    public void A_fit_of_runs_that_contradict_it_has_no_negative_costs()
    {
        Trial light = new(200, 800_000, 5000, 1, 0, 0, 0);
        Trial heavy = new(100, 26_000_000, 1600, 0.1, 0, 0, 0); // less than its batches alone should take
        Trial many = new(100, 26_000_000, 249_400, 0.2, 0, 0, 0);

        ProcessWork fitted = WorkFit.Of(light, heavy, many, trial => trial.Witness);

        Assert.Equal((5e-3, 0.0, 0.0), (Math.Round(fitted.PerBatch, 6), fitted.PerByte, fitted.PerMessage));
    }
}
