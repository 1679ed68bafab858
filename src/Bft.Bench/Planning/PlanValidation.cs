using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench.Planning;

/// <summary>One figure three times.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Predicted">By <see cref="Plan"/>.</param>
/// <param name="Simulated">By <see cref="PlanSimulation"/>.</param>
/// <param name="Measured">By a run as `bft bench` makes them.</param>
public readonly record struct Validated(string Name, double Predicted, double Simulated, double Measured)
{
    /// <summary>What a prediction may be off by.</summary>
    public const double ErrorMax = 0.25;

    /// <summary>Of what was measured; above 0 when too much was predicted.</summary>
    public double Error => (Predicted / Measured) - 1;

    /// <inheritdoc cref="Error"/>
    public double SimulationError => (Simulated / Measured) - 1;

    public bool IsMet => Math.Abs(Error) <= ErrorMax;
}

/// <summary>Sets predictions beside what closed and open loops of a bench measure here, in the same minute.</summary>
/// <remarks>Both know how many cores the run's processes had or could have had while it was measured: on a machine that does nothing else those are all.</remarks>
public sealed class PlanValidation(StageCosts costs, Deployment deployment, TimeSpan warmUp, TimeSpan time, IBenchOutput output)
{
    private const double SimulatedSeconds = 5;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);
    private static readonly double[] Loads = [0.1, 0.5, 0.8];

    /// <summary>Throughput for each size, latency for the first. The deployment says how many witnesses, publishers and receivers; all run here.</summary>
    public async Task<IReadOnlyList<Validated>> RunAsync(IReadOnlyList<int> sizes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        List<Validated> all = [];
        foreach (int size in sizes)
        {
            string name = ClosedLoopWorkload.SizeName(size);
            output.Doing($"validating: {name}, starting the cluster and warming up");
            await using BenchCluster cluster = await BenchCluster.StartAsync(deployment.Witnesses.Count, hasSlowLinks: false, cancellationToken, deployment.Publishers, LoadGroup.ClientsOf(deployment.Receivers));
            await using LoadGroup group = await LoadGroup.OpenAsync(cluster, new Payloads(1, size), cancellationToken, deployment.Publishers, deployment.Receivers);
            await group.WarmUpAsync(cancellationToken);
            output.Doing($"validating: {name}, as fast as they go", warmUp + time);
            (Sustained run, ProcessorUse use) = await ProcessorUse.DuringAsync(cluster.CpuSeconds, () => group.RunFastAsync(warmUp, time, cancellationToken));
            Deployment here = Here(size, use);
            PlanSimulation fast = PlanSimulation.Run(costs, here, double.PositiveInfinity, SimulatedSeconds, seed: 1);
            all.Add(new Validated(Text($"{name}: certified/s, on {use.Cores:N2} cores"), Plan.Of(costs, here).Capacity, fast.PerSecond, run.CertifiedPerSecond));
            all.Add(new Validated($"{name}: CPU s per million", CpuPerMillion(here), CpuPerMillion(here), run.CpuSecondsPerMillion ?? double.NaN));
            if (size == sizes[0] && deployment.Publishers == 1)
            {
                await cluster.WhenLevelAsync(group.Control, cancellationToken);
                await OpenLoopsAsync(group, size, Math.Min(run.CertifiedPerSecond, run.DeliveredPerSecond), all, cancellationToken);
            }
        }

        return all;
    }

    private async Task OpenLoopsAsync(LoadGroup group, int size, double saturation, List<Validated> all, CancellationToken cancellationToken)
    {
        foreach (double load in Loads)
        {
            string name = Text($"{ClosedLoopWorkload.SizeName(size)} at {load * saturation:N0}/s ({load:P0})");
            output.Doing($"validating: {name}", Settle + time);
            ((LatencyProbe latency, Sustained run), ProcessorUse use) = await ProcessorUse.DuringAsync(group.Cluster.CpuSeconds, () => group.RunOpenLoopAsync(load * saturation, Settle, time, cancellationToken));
            Deployment here = Here(size, use);
            Plan plan = Plan.Of(costs, here, load * saturation);
            PlanSimulation played = PlanSimulation.Run(costs, here, load * saturation, SimulatedSeconds, seed: 1);
            all.Add(new Validated(Text($"{name}: certified, ms, on {use.Cores:N2} cores"), plan.CertifiedSeconds * 1e3, played.CertifiedP50 * 1e3, latency.Certified.Quantile(0.5) / 1e6));
            all.Add(new Validated($"{name}: delivered, ms", plan.DeliveredSeconds * 1e3, played.DeliveredP50 * 1e3, latency.Delivered.Quantile(0.5) / 1e6));
            all.Add(new Validated($"{name}: messages per batch", plan.BatchMessages, played.BatchMessages, run.CertifiedPerSecond * run.Seconds / run.After.BatchSizes.Count));
        }
    }

    private double CpuPerMillion(Deployment here) => new BatchTimes(costs, here, here.FullMessages).Cpu / here.FullMessages * 1e6;

    private Deployment Here(int size, ProcessorUse use) => Calibration.Here(size, deployment.Witnesses.Count, use.Cores) with { Publishers = deployment.Publishers, Receivers = deployment.Receivers };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
