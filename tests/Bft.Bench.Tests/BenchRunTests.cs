using System.Diagnostics;
using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench.Tests;

/// <summary>Short runs against real witnesses: that they measure what they say, not how fast anything is.</summary>
public sealed class BenchRunTests : IBenchOutput
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly CancellationTokenSource _deadline = new(Patience);
    private readonly List<BenchCase> _cases = [];

    void IBenchOutput.Doing(string what, TimeSpan? time)
    {
    }

    void IBenchOutput.Noted(string sentence)
    {
    }

    void IBenchOutput.Measured(BenchCase measured) => _cases.Add(measured);

    [Fact]
    public async Task Throughput_says_what_went_through_and_what_it_cost()
    {
        await BenchRun.RunAsync(Options("throughput"), this, _deadline.Token);

        BenchCase measured = Assert.Single(_cases);
        Assert.Equal(("throughput", "100 B"), (measured.Workload, measured.Name));
        string[] expected = ["witnesses", "certifiedPerSecond", "deliveredPerSecond", "deliveredMegabytesPerSecond", "batchMessagesP50", "batchBytesP50", "signaturesPerMillion", "verificationsPerMillion", "flushesPerMillion", "allocatedBytesPerMessageWitness3", "allocatedBytesPerMessageClients", "transportPerSecond", "ofTransport", "lightPerSecond", "ofLight", "cpuSecondsPerMillionWitness3", "peakMebibytesWitness3"];
        Assert.All(expected, name => Assert.True(Of(measured, name) > 0, $"{name} is {Of(measured, name)}."));
        Assert.Equal(Of(measured, "deliveredPerSecond") * 100 / 1e6, Of(measured, "deliveredMegabytesPerSecond"), 6);
    }

    [Fact]
    public async Task A_fault_is_measured_beside_runs_without_it()
    {
        await BenchRun.RunAsync(Options("faulty") with { Faults = ["dead"], Rounds = 1, Rate = 1000 }, this, _deadline.Token);

        BenchCase measured = Assert.Single(_cases);
        Assert.Equal(500, Of(measured, "ratePerSecond"));
        Assert.Equal(0, Of(measured, "faultyProcessors"));
        Assert.Equal(Of(measured, "certifiedMillisecondsP99WithFault") / Of(measured, "certifiedMillisecondsP99WithoutFault"), Of(measured, "certifiedRatioP99"), 6);
    }

    /// <summary>A loop that waited for answers would send one message into the pause, and hide the rest: coordinated omission.</summary>
    [Fact]
    public async Task A_pause_of_all_witnesses_shows_in_every_message_that_was_due_in_it()
    {
        const int pauseMs = 1000;
        await using BenchCluster cluster = await BenchCluster.StartAsync(4, hasSlowLinks: false, _deadline.Token);
        await using LoadGroup group = await LoadGroup.OpenAsync(cluster, new Payloads(1, 100), _deadline.Token);
        Task<(LatencyProbe Latency, Sustained Use)> running = group.RunOpenLoopAsync(500, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), _deadline.Token);
        await group.DelayAsync(TimeSpan.FromSeconds(2.5), _deadline.Token);
        Signal("STOP", cluster);
        await group.DelayAsync(TimeSpan.FromMilliseconds(pauseMs), _deadline.Token);
        Signal("CONT", cluster);
        (LatencyProbe latency, _) = await running;

        // 500 of 2,000 messages were due in the pause; half of them with more than half of it to go.
        Assert.Equal((2000, 2000), (latency.Certified.Count, latency.Delivered.Count));
        Assert.True(latency.Certified.Max / 1e6 > pauseMs * 0.95, $"max {latency.Certified.Max / 1e6} ms");
        Assert.True(latency.Certified.Quantile(0.99) / 1e6 > pauseMs * 0.9, $"p99 {latency.Certified.Quantile(0.99) / 1e6} ms");
        Assert.True(latency.Certified.Quantile(0.88) / 1e6 > pauseMs * 0.45, $"p88 {latency.Certified.Quantile(0.88) / 1e6} ms");
        Assert.True(latency.Delivered.Quantile(0.99) >= latency.Certified.Quantile(0.95), "delivered before certified");
    }

    [Theory]
    [InlineData("one message", 1e9, 0)]
    [InlineData("one message", 1e-9, 14)]
    [InlineData("another", 1e9, 1)]
    public async Task A_loss_against_what_was_published_has_an_exit_code(string name, double publishedMilliseconds, int exitCode)
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $$"""{"event":"bench","workload":"receipt","case":"{{name}}","witnesses":4,"payloadBytes":100,"verifyMillisecondsP50":{{publishedMilliseconds}}}"""));
        using Process bench = Process.Start(BftProgram.Start("bench", "receipt", "--seconds", "1", "--warm-up", "0.5", "--compare", file))!;
        Task<string> said = bench.StandardError.ReadToEndAsync(_deadline.Token);
        string shown = await bench.StandardOutput.ReadToEndAsync(_deadline.Token);
        await bench.WaitForExitAsync(_deadline.Token);
        File.Delete(file);

        Assert.True(bench.ExitCode == exitCode, $"{bench.ExitCode}: {shown} {await said}");
        Assert.Contains("another machine", await said, StringComparison.Ordinal);
        Assert.Equal(exitCode == 14, shown.Contains("1 of 1 figures lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_that_is_ended_half_way_leaves_no_file_behind()
    {
        string folder = Directory.CreateTempSubdirectory("bft-ended-").FullName;
        ProcessStartInfo start = BftProgram.Start("bench", "throughput", "--size", "100", "--seconds", "300", "--warm-up", "1");
        start.Environment["TMPDIR"] = folder;
        using Process bench = Process.Start(start)!;
        Task<string> said = bench.StandardError.ReadToEndAsync(_deadline.Token);
        while (!Directory.EnumerateFiles(folder, "*.journal", SearchOption.AllDirectories).Any(file => file.Contains("publisher-0", StringComparison.Ordinal)))
        {
            Assert.False(bench.HasExited, "It ended by itself.");
            await Task.Delay(20, _deadline.Token);
        }

        using Process kill = Process.Start("kill", ["-TERM", bench.Id.ToString(CultureInfo.InvariantCulture)]);
        await bench.WaitForExitAsync(_deadline.Token);

        Assert.True(bench.ExitCode == 143, $"{bench.ExitCode}: {await said}");
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        Directory.Delete(folder);
    }

    private static BenchOptions Options(string workload) => new() { Workloads = [workload], Sizes = [100], Time = TimeSpan.FromSeconds(2), WarmUp = TimeSpan.FromSeconds(1) };

    private static double Of(BenchCase measured, string name) => Assert.Single(measured.Figures, figure => figure.Name == name).Value;

    private static void Signal(string signal, BenchCluster cluster)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", .. cluster.Witnesses.Select(witness => witness!.Id.ToString(CultureInfo.InvariantCulture))]);
        kill.WaitForExit();
    }
}
