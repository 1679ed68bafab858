using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Bench.Running;
using Bft.Client;

namespace Bft.Bench;

/// <summary>How long a witness takes from its start after SIGKILL until it serves, and until it stores all that the others do, with what it had on disk.</summary>
internal static class RecoveryWorkload
{
    private const string Name = "recovery";
    private const double MiB = 1024 * 1024;

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing($"{Name}: publishing");
        await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken);
        await using LoadGroup group = await LoadGroup.OpenAsync(cluster, new Payloads(options.Seed, options.Size), cancellationToken);
        await group.RunFastAsync(options.WarmUp, options.Time, cancellationToken);

        List<(double Ready, double Level)> times = [];
        for (int round = 1; round <= options.Rounds; round++)
        {
            output.Doing(string.Create(CultureInfo.InvariantCulture, $"{Name}: round {round} of {options.Rounds}"));

            // Killed as it works, not when all is quiet.
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task sending = group.SendFastAsync(stop.Token);
            await group.DelayAsync(options.WarmUp, cancellationToken);
            await cluster.KillAsync(cluster.Odd);
            await stop.CancelAsync();
            await sending;
            await group.WhenAllDeliveredAsync(cancellationToken);

            long begin = Monotonic.Now;
            await cluster.RestartAsync(cluster.Odd, cancellationToken);
            double ready = (Monotonic.Now - begin) / 1e9;
            await cluster.WhenLevelAsync(group.Control, cancellationToken);
            times.Add((ready, (Monotonic.Now - begin) / 1e9));
        }

        WitnessHealth health = (await group.Control.GetStatusAsync(cancellationToken))[cluster.Odd];
        output.Measured(new BenchCase(Name, "SIGKILL under load", [
            .. ClosedLoopWorkload.Describe(cluster, options.Size),
            new("rounds", "rounds", options.Rounds),
            .. health.Status is { } status ? [new Figure("journalMebibytes", "journal (MiB)", status.JournalBytes / MiB)] : Array.Empty<Figure>(),
            new("readySeconds", "from start to ready (s, median)", FaultyWorkload.Median(times.Select(time => time.Ready)), "N2"),
            new("readySecondsMax", "from start to ready (s, max)", times.Max(time => time.Ready), "N2"),
            new("levelSeconds", "from start to caught up (s, median)", FaultyWorkload.Median(times.Select(time => time.Level)), "N2"),
        ]));
    }
}
