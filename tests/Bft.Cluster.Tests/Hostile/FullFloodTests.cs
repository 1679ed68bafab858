using System.Diagnostics;
using Bft.Cluster.Tests.Support;
using static Bft.Cluster.Tests.Support.MeasurementFactAttribute;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>What is promised against floods, with figures: attackers at idle priority, phases with and without them in turn. Minutes, so only where it is asked for.</summary>
/// <remarks>At idle priority, for attackers on other machines would not take this one's processor; what they make the witness do counts.</remarks>
[Trait("Category", "Measurement")]
public sealed class FullFloodTests
{
    private const long MiB = 1024 * 1024;
    private const long ResidentMax = 512 * MiB;
    private const double SlowerMax = 2;
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(6);

    [MeasurementFact]
    public async Task Honest_p99_within_twice_memory_within_its_cap_attackers_dropped()
    {
        List<string> broken = [];
        foreach (string kind in Floods.All)
        {
            await using ProcessCluster cluster = await ProcessCluster.StartedAsync(); // what is done is held against its address
            await cluster.AssertServesAsync(0); // W9: its witnesses ask each other first
            await using HonestLoad honest = await HonestLoad.StartAsync(cluster);
            await honest.PhaseAsync(Phase / 2, Task.CompletedTask); // warm
            cluster[0].ForgetPeak();
            List<double> with = [], without = [];
            int dropped = 0;
            for (int round = 0; round < Rounds; round++)
            {
                without.Add((await honest.PhaseAsync(Phase, Task.CompletedTask)).P99);
                await using Attacker attacker = new(cluster, kind);
                with.Add((await honest.PhaseAsync(Phase, attacker.WhenDropped)).P99);
                dropped += attacker.DroppedCount;
            }

            long peak = cluster[0].Memory().Peak;
            double slower = Median(with) / Median(without);
            Report($"{kind}: honest p99 {Median(without):0.0} ms without, {Median(with):0.0} ms with it ({slower:0.00} times; medians of {Rounds}); dropped {dropped} times; {peak / MiB} MiB at most");
            await honest.StopAsync();
            if (slower > SlowerMax || peak > ResidentMax || dropped < Rounds)
            {
                broken.Add(kind);
            }
        }

        Assert.Empty(broken);
    }

    /// <summary>A process that floods the first witness, again and again.</summary>
    private sealed class Attacker : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Process _process;
        private readonly Task _reading;
        private int _dropped;

        public Attacker(ProcessCluster cluster, string kind)
        {
            string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
            string[] arguments = ["--idle", "0", dotnet, "exec", Path.Combine(AppContext.BaseDirectory, "Bft.Cluster.Tests.dll"), cluster.Root, kind];
            _process = Process.Start(new ProcessStartInfo("chrt", arguments) { RedirectStandardOutput = true })!;
            _reading = ReadAsync();
        }

        /// <summary>The witness has dropped all of one flood.</summary>
        /// <exception cref="InvalidOperationException">It did not.</exception>
        public Task WhenDropped => _first.Task.WaitAsync(Patience);

        public int DroppedCount => Volatile.Read(ref _dropped);

        public async ValueTask DisposeAsync()
        {
            _process.Kill();
            await _reading;
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        private async Task ReadAsync()
        {
            while (await _process.StandardOutput.ReadLineAsync() is not null)
            {
                Interlocked.Increment(ref _dropped);
                _first.TrySetResult();
            }

            _first.TrySetException(new InvalidOperationException("The attacker ended: it was not dropped."));
        }
    }
}
