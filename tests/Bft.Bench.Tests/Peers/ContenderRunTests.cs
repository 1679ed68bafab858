using System.Diagnostics;
using Bft.Bench.Load;
using Bft.Bench.Peers;

namespace Bft.Bench.Tests.Peers;

/// <summary>What is made of a contender's counts.</summary>
public sealed class ContenderRunTests
{
    private static readonly TimeSpan Time = TimeSpan.FromMilliseconds(300);

    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromMinutes(5));

    [Fact]
    public async Task A_rate_is_of_what_was_acked_and_delivered_in_its_time_and_a_cost_of_the_processor_then()
    {
        while (Environment.CpuUsage.TotalTime < TimeSpan.FromSeconds(1))
        {
            // What was used before the run is no cost of it.
        }

        // The first look is at the end of the warm-up, the second at the end.
        Scripted contender = new() { AckedAt = [500, 1_000_500], DeliveredAt = [100, 500_100, 500_100, 500_100], Sent = 1_000_500 };
        long begun = Stopwatch.GetTimestamp();
        Rate rate = await ContenderRun.RateAsync(contender, 10, TimeSpan.Zero, Time, _deadline.Token);

        Assert.InRange(rate.PerSecond, 500_000 / Stopwatch.GetElapsedTime(begun).TotalSeconds, 500_000 / (0.9 * Time.TotalSeconds));
        Assert.Equal(rate.ClientCpu, rate.ServerCpu, 0.5); // of the same process, for a million acked
        Assert.Equal(contender.Sent, contender.Delivered); // it is over when the last one came
        Assert.Equal(10, contender.Window);
    }

    [Fact]
    public async Task A_contender_that_fails_ends_the_run()
    {
        await Assert.ThrowsAsync<PeerFailedException>(() => ContenderRun.RateAsync(Failed(), 1, TimeSpan.Zero, Time, _deadline.Token));
        await Assert.ThrowsAsync<PeerFailedException>(() => ContenderRun.AloneAsync(Failed(), TimeSpan.Zero, Time, _deadline.Token));

        static Scripted Failed() => new() { AckedAt = [0], DeliveredAt = [0], Sent = 1, Failed = Task.FromException(new PeerFailedException("gone")) };
    }

    /// <summary>Says one number after the other, and then that all came. Its servers are this process.</summary>
    private sealed class Scripted : IContender
    {
        private int _ackedLooks;
        private int _deliveredLooks;

        public required long[] AckedAt { get; init; }

        public required long[] DeliveredAt { get; init; }

        public required long Sent { get; init; }

        public long Acked => _ackedLooks < AckedAt.Length ? AckedAt[_ackedLooks++] : Sent;

        public long Delivered => _deliveredLooks < DeliveredAt.Length ? DeliveredAt[_deliveredLooks++] : Sent;

        public Task Failed { get; init; } = new TaskCompletionSource().Task;

        public IReadOnlyCollection<int> Servers => [Environment.ProcessId];

        public LatencyProbe? Probe { get; set; }

        public int Window { get; private set; }

        public Task SendAsync(int window, CancellationToken cancellationToken)
        {
            Window = window;
            return Task.CompletedTask;
        }

        public Task SendOneAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
