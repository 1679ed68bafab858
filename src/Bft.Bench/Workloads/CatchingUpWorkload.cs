using Bft.Bench.Load;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench;

/// <summary>What is left of the throughput while a witness that was dead catches up.</summary>
internal static class CatchingUpWorkload
{
    private const string Name = "catching-up";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        output.Doing($"{Name}: starting the cluster");
        await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken);
        await using LoadGroup group = await LoadGroup.OpenAsync(cluster, new Payloads(options.Seed, options.Size), cancellationToken);

        output.Doing($"{Name}: without a fault", options.RunTime);
        Sustained free = await group.RunFastAsync(options.WarmUp, options.Time, cancellationToken);

        output.Doing($"{Name}: one witness is dead", options.Time);
        await cluster.KillAsync(cluster.Odd);
        long missedFrom = group.Publisher.Sent;
        Sustained dead = await group.RunFastAsync(TimeSpan.Zero, options.Time, cancellationToken);
        long missed = group.Publisher.Sent - missedFrom;

        output.Doing($"{Name}: it catches up");
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task sending = group.SendFastAsync(stop.Token);
        await cluster.RestartAsync(cluster.Odd, cancellationToken);
        Usage before = await Usage.TakeAsync(group, cancellationToken);
        bool isLevel = await CatchUpAsync(group, cancellationToken);
        Usage after = await Usage.TakeAsync(group, cancellationToken);
        await stop.CancelAsync();
        await sending;
        await group.WhenAllDeliveredAsync(cancellationToken);

        Sustained during = new(before, after);
        output.Measured(new BenchCase(Name, "one witness", [
            .. ClosedLoopWorkload.Describe(cluster, options.Size),
            new("certifiedPerSecondWithoutFault", "certified/s without a fault", free.CertifiedPerSecond),
            new("certifiedPerSecondDead", "certified/s while it is dead", dead.CertifiedPerSecond),
            new("certifiedPerSecondCatchingUp", "certified/s while it catches up", during.CertifiedPerSecond),
            new("ratio", "catching up, of without a fault", during.CertifiedPerSecond / free.CertifiedPerSecond, "P0"),
            new("messagesMissed", "messages that it missed", missed),
            new("secondsCatchingUp", isLevel ? "caught up after (s)" : "not caught up after (s)", during.Seconds, "N1"),
            new("isLevel", "has caught up (1: yes)", isLevel ? 1 : 0),
            .. during.Costs(),
        ]));
    }

    /// <summary>Until the witness stores all but a few of the batches that the others do.</summary>
    private static async Task<bool> CatchUpAsync(LoadGroup group, CancellationToken cancellationToken)
    {
        long end = Monotonic.Now + (Limit.Ticks * TimeSpan.NanosecondsPerTick);
        while (Monotonic.Now < end)
        {
            await group.DelayAsync(Look, cancellationToken);
            if (BenchCluster.IsNear(await group.Control.GetStatusAsync(cancellationToken), group.Cluster.Odd))
            {
                return true;
            }
        }

        return false;
    }
}
