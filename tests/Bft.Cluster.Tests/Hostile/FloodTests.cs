using System.Diagnostics;
using Bft.Cluster.Tests.Support;
using Grpc.Core;
using Xunit.Abstractions;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>More of something than any client sends: the sender is dropped, memory is bounded, and an honest publisher and reader go on meanwhile.</summary>
/// <remarks>Their cluster is their own: what they do is held against their address.</remarks>
public sealed class FloodTests(SharedCluster shared, ITestOutputHelper output) : IClassFixture<SharedCluster>
{
    private const int GrownMax = 160; // MiB, of which most is the honest load's

    /// <summary>A generous bound, for machines that do a lot besides. Unit: ms.</summary>
    private const double P99Max = 20_000;

    private ProcessCluster Cluster => shared.Cluster;

    public static TheoryData<string> Frames => [.. Floods.Frames];

    public static TheoryData<string> Bodies => [.. Floods.Bodies];

    public static TheoryData<string> Connections => [.. Floods.Connections];

    [Theory]
    [MemberData(nameof(Frames))]
    public Task Frames_without_content_end_the_connection(string kind) => AttackAsync(kind);

    [Theory]
    [MemberData(nameof(Bodies))]
    public Task Bodies_of_strangers_end_the_connection_before_they_take_memory(string path) => AttackAsync(path);

    [Fact]
    public Task Headers_above_their_limit_end_the_connection() => AttackAsync("a header bomb");

    [Theory]
    [MemberData(nameof(Connections))]
    public Task Ten_thousand_connections_take_nobodys_place(string kind) => AttackAsync(kind);

    [Fact]
    public Task A_byte_now_and_then_keeps_no_connection() => AttackAsync("a byte a second");

    [Fact]
    public Task Lengths_and_flags_that_lie_end_the_call() => AttackAsync("oversized declarations");

    private async Task AttackAsync(string kind)
    {
        await using HonestLoad honest = await HonestLoad.StartAsync(Cluster);
        await honest.PhaseAsync(TimeSpan.FromSeconds(1), Task.CompletedTask); // warm
        (int count, double median, double p99) before = await honest.PhaseAsync(TimeSpan.FromSeconds(2), Task.CompletedTask);
        MemoryWatch memory = new(Cluster[0]);
        using CancellationTokenSource deadline = new(3 * ProcessCluster.Patience);
        long begun = Stopwatch.GetTimestamp();
        (int count, double median, double p99) during = await honest.PhaseAsync(TimeSpan.FromSeconds(2), new Floods(Cluster).RunAsync(kind, deadline.Token));
        output.WriteLine(FormattableString.Invariant(
            $"{kind}: {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s; honest before {before.count} at {before.median:0.0} / {before.p99:0.0} ms (median / p99), meanwhile {during.count} at {during.median:0.0} / {during.p99:0.0} ms; {Cluster[0].Memory().Peak >> 20} MiB at most"));
        memory.AssertBounded(GrownMax);
        Assert.False(during.p99 > P99Max, $"An honest publisher waited {during.p99:0} ms.");
        await honest.StopAsync();
        await ServesAsync(deadline.Token);
    }

    /// <summary>The address is held off now and then; a client dials again.</summary>
    private async Task ServesAsync(CancellationToken deadline)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                await Cluster.AssertServesAsync(0);
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
            {
                await timer.WaitForNextTickAsync(deadline);
            }
        }
    }
}
