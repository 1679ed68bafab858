using Bft.Bench.Results;

namespace Bft.Bench.Tests.Results;

public sealed class PublishedTests
{
    private static readonly string[] Lines =
    [
        """{"event":"machine","processor":"a processor","cores":2,"memoryMebibytes":8192,"runtime":".NET","commit":"abc","date":"2026-11-22"}""",
        "",
        """{"event":"bench","workload":"throughput","case":"100 B","witnesses":4,"payloadBytes":100,"publishers":1,"receivers":1,"certifiedPerSecond":1000}""",
        """{"event":"bench","workload":"throughput","case":"100 B","witnesses":7,"payloadBytes":100,"publishers":1,"receivers":1,"certifiedPerSecond":500}""",
        """{"event":"later","what":"an event that this version does not know"}""",
    ];

    [Fact]
    public void A_case_is_found_by_its_name_and_all_its_parameters()
    {
        Published published = Published.Parse(Lines);

        Assert.Equal(1000, Certified(published.Like(Case("throughput", "100 B", 4))!));
        Assert.Equal(500, Certified(published.Like(Case("throughput", "100 B", 7))!));
        Assert.Null(published.Like(Case("throughput", "100 B", 10)));
        Assert.Null(published.Like(Case("throughput", "16 B", 4)));
        Assert.Null(published.Like(Case("latency", "100 B", 4)));
    }

    [Fact]
    public void Figures_of_another_processor_or_of_more_cores_are_of_another_machine()
    {
        Machine machine = Published.Parse(Lines).Machine!;

        Assert.Equal(new Machine("a processor", 2, 8192, ".NET", "abc", "2026-11-22"), machine);
        Assert.True(machine.IsLike(machine with { Commit = "def", Date = "2027-01-01" }));
        Assert.False(machine.IsLike(machine with { Cores = 4 }));
        Assert.False(machine.IsLike(machine with { Processor = "another" }));
        Assert.Equal(Environment.ProcessorCount, Machine.Here().Cores);
    }

    [Fact]
    public void What_is_published_with_the_program_can_be_compared_with()
    {
        Published published = Published.Parse(File.ReadLines(Path.Combine(AppContext.BaseDirectory, "figures.json")));

        Assert.NotNull(published.Machine);
        Assert.All(published.Cases, one => Assert.NotEmpty(Comparison.Of(one, published.Like(one)!)));
        Assert.Equal(["latency", "throughput"], published.Cases.Select(one => one.Workload).Distinct().Order());
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("""{"event":"bench","case":"100 B"}""")]
    public void A_file_of_something_else_is_refused_with_the_line(string line)
    {
        FormatException error = Assert.Throws<FormatException>(() => Published.Parse([.. Lines, line]));
        Assert.StartsWith("line 6 ", error.Message, StringComparison.Ordinal);
    }

    private static double? Certified(BenchCase one) => Published.ValueOf(one, "certifiedPerSecond");

    private static BenchCase Case(string workload, string name, int witnesses) =>
        new(workload, name, [new("witnesses", "", witnesses), new("payloadBytes", "", 100), new("publishers", "", 1), new("receivers", "", 1), new("certifiedPerSecond", "", 1)]);
}
