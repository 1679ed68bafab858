using System.Text.Json;
using Bft.Style.Tests;

namespace Bft.Sim.Tests.Commands;

/// <summary>The program as a process. Its folder of failures is a temporary one.</summary>
public sealed class CommandLineTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bft-sim-test-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Help_has_examples_and_every_exit_code()
    {
        (int code, string output, _) = await RunAsync("--help");

        Assert.Equal(0, code);
        Assert.Contains("bft sim [options]", output, StringComparison.Ordinal);
        Assert.Contains("bft sim --seeds 1..1000", output, StringComparison.Ordinal);
        Assert.Contains(ExitCodes.Text(), output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seedz", "3")]
    [InlineData("--seeds", "9..1")]
    [InlineData("--seeds", "1-9")]
    [InlineData("--time", "soon")]
    [InlineData("--seed", "1", "--time", "1s")]
    [InlineData("--profile", "nope", "--seed", "1")]
    [InlineData("--scenario", "nope")]
    [InlineData("--plan", "no-such-file.yaml")]
    [InlineData("--replay", "no-such-file.json")]
    [InlineData("--seed", "1", "--log", "--json")]
    [InlineData("--log")]
    [InlineData("--seeds", "1..2", "--failures", "0")]
    public async Task A_slip_exits_with_1_and_one_sentence(params string[] arguments)
    {
        (int code, string output, string error) = await RunAsync(arguments);

        Assert.Equal((1, ""), (code, output));
        Assert.InRange(error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 1, 8);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_seed_gives_one_hash_in_two_processes()
    {
        (int code, string output, string error) = await RunAsync("--seed", "11", "--profile", "quick", "--check-determinism");

        Assert.True(code == 0, output + error);
        Assert.Matches("^Two processes wrote the same [0-9,]+ lines; hash [0-9a-f]{32}\n$", output);
    }

    [Fact]
    public async Task Many_runs_are_one_json_object()
    {
        (int code, string output, _) = await RunAsync("--seeds", "1..4", "--profile", "quick", "--json");

        using JsonDocument json = JsonDocument.Parse(output);
        string[] names = ["runs", "events", "deliveries", "virtualSeconds", "runsPerSecond", "eventsPerSecond", "deliveriesPerSecond", "virtualOverReal", "failures", "probes", "probesNeverFired", "excuses"];
        Assert.All(names, name => Assert.True(json.RootElement.TryGetProperty(name, out _), name));
        Assert.Equal(4, json.RootElement.GetProperty("runs").GetInt32());
        Assert.Equal(code, json.RootElement.GetProperty("exitCode").GetInt32());
        Assert.True(json.RootElement.GetProperty("deliveries").GetInt64() > 100);
    }

    [Fact]
    public async Task A_printed_plan_runs_and_a_picture_is_drawn()
    {
        (_, string plan, _) = await RunAsync("--print-plan", "--seed", "5", "--profile", "quick");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "my.yaml"), plan);

        (int code, string output, string error) = await RunAsync("--plan", "my.yaml", "--seed", "5", "--html", "run.html");
        (_, string log, _) = await RunAsync("--profile", "quick", "--seed", "5", "--log");

        Assert.True(code == 0, output + error);
        Assert.StartsWith("<!DOCTYPE html>", await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "run.html")), StringComparison.Ordinal);
        string hash = log.Split('\n').Single(line => line.StartsWith("hash ", StringComparison.Ordinal));
        Assert.EndsWith(hash + "\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scenarios_are_listed()
    {
        (int code, string output, _) = await RunAsync("--list");

        Assert.Equal(0, code);
        Assert.Equal(Sim.Scenarios.All.Select(scenario => scenario.Name), output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public void The_page_and_help_have_the_same_exit_codes()
    {
        string page = Repository.Text("docs/simulation.md");

        Assert.All(ExitCodes.Table, row => Assert.Contains($"| {(int)row.Code} | {row.Meaning} |", page, StringComparison.Ordinal));
        Assert.All(ExitCodes.Findings, row => Assert.Contains($"| {row.Code} | {row.Checker}: {row.Meaning} |", page, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_checker_has_a_code_and_a_meaning()
    {
        Assert.Equal(Checkers.All().Select(checker => checker.Name).Append(Divergence.Checker), ExitCodes.Findings.Select(row => row.Checker));
        Assert.Equal(ExitCodes.Findings.Count, ExitCodes.Findings.Select(row => row.Code).Except(ExitCodes.Table.Select(row => (int)row.Code)).Count());
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        SimProcess.RunAsync(Path.Combine(AppContext.BaseDirectory, "Bft.Sim"), _folder.FullName, Limit, arguments);
}
