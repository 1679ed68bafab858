using System.Text.Json;
using Bft.Bench.Tests.Planning;
using Bft.Cli.Tests.Support;

namespace Bft.Cli.Tests.Commands;

/// <summary>With costs from a file: nothing is measured, so the same figures come everywhere.</summary>
public sealed class PlanTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    private string Costs => Path.Combine(_folder.Root, "costs.json");

    public PlanTests() => File.WriteAllText(Costs, Given.Costs.ToJson());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_plan_says_capacity_times_queues_and_bytes_as_json()
    {
        BftResult result = await RunAsync("--rate", "1000", "--size", "1KiB", "--cores", "2", "--witnesses", "7", "--link", "metro", "--retention", "7", "--json");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        JsonElement plan = Assert.Single(EventsOf(result, "plan"));
        Assert.Equal((7, 1024, 1000.0, "metro"), (plan.GetProperty("witnesses").GetInt32(), plan.GetProperty("payloadBytes").GetInt32(), Number(plan, "ratePerSecond"), plan.GetProperty("link").GetString()));
        Assert.True(plan.GetProperty("fits").GetBoolean());
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("secondsUntilPublishersWait").ValueKind);
        Assert.True(Number(plan, "deliveredMilliseconds") > 3, result.Output);
        Assert.Equal(Number(plan, "diskBytesPerDayPerWitness") * 30, Number(plan, "diskBytesPerMonthPerWitness"), 0);
        Assert.Equal(Number(plan, "diskBytesPerDayPerWitness") * 7, Number(plan, "keptBytesPerWitness"), 0);
        Assert.True(Number(plan, "diskBytesPerDayPerWitness") > 1024 * 1000 * 86_400.0);

        JsonElement slowest = Assert.Single(EventsOf(result, "stage"), stage => stage.GetProperty("isSlowest").GetBoolean());
        Assert.Equal(Number(plan, "capacityPerSecond"), Number(slowest, "capacityPerSecond"));
        Assert.Equal(plan.GetProperty("slowest").GetString(), slowest.GetProperty("name").GetString());
        Assert.Equal(["predicted", "simulated"], EventsOf(result, "queue").Select(queue => queue.GetProperty("by").GetString()).Distinct());
        Assert.Equal(30, EventsOf(result, "other").Count());
        Assert.Equal([4, 7, 10, 16, 31, 64], EventsOf(result, "other").Select(other => other.GetProperty("witnesses").GetInt32()).Distinct());
        Assert.Equal("paper", Assert.Single(EventsOf(result, "costs")).GetProperty("machine").GetString());
        Assert.Contains(EventsOf(result, "step"), step => step.GetProperty("name").GetString() == "acks" && Number(step, "delayMilliseconds") == 1);
    }

    [Fact]
    public async Task What_does_not_fit_is_said_with_the_growth_of_the_queue()
    {
        JsonElement plan = Assert.Single(EventsOf(await RunAsync("--rate", "500000000", "--json"), "plan"));
        BftResult text = await RunAsync("--rate", "500000000");

        Assert.False(plan.GetProperty("fits").GetBoolean());
        Assert.Equal(500_000_000 - Number(plan, "capacityPerSecond"), Number(plan, "growthPerSecond"), 3);
        Assert.True(Number(plan, "secondsUntilPublishersWait") is > 0 and < 10);
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("deliveredMilliseconds").ValueKind);
        Assert.Equal(0, text.ExitCode);
        Assert.Contains("does not fit", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_of_a_cluster_takes_witnesses_and_retention_from_its_file()
    {
        string cluster = Path.Combine(_folder.Root, "cluster");
        Assert.Equal(0, (await BftProcess.RunAsync("init", "--witnesses", "5", "--out", cluster)).ExitCode);
        string file = Path.Combine(cluster, "cluster.yaml");
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("\"*\":\n", "\"*\":\n    retainBytes: 1234567\n", StringComparison.Ordinal));

        JsonElement plan = Assert.Single(EventsOf(await RunAsync("--cluster", file, "--rate", "10", "--json"), "plan"));

        Assert.Equal((5, 1_234_567.0), (plan.GetProperty("witnesses").GetInt32(), Number(plan, "keptBytesPerWitness")));
    }

    [Fact]
    public async Task A_file_that_holds_no_costs_is_refused()
    {
        await File.WriteAllTextAsync(Costs, "{\"machine\":\"x\"}");

        BftResult result = await RunAsync();

        Assert.Equal((int)ExitCode.Usage, result.ExitCode);
        Assert.Contains("is no file of stage costs", result.Error, StringComparison.Ordinal);
    }

    private Task<BftResult> RunAsync(params string[] arguments) => BftProcess.RunAsync(["plan", "--costs", Costs, .. arguments]);

    private static IEnumerable<JsonElement> EventsOf(BftResult result, string kind) => result.Events.Where(one => one.GetProperty("event").GetString() == kind);

    private static double Number(JsonElement one, string name) => one.GetProperty(name).GetDouble();
}
