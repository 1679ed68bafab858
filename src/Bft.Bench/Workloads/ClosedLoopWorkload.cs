using System.Globalization;
using Bft.Bench.Floors;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench;

/// <summary>Publishers as fast as they may, receivers that check everything; a fresh cluster for each case.</summary>
internal static class ClosedLoopWorkload
{
    private const int KiB = 1024;
    private static readonly int[] UsualSizes = [16, 100, KiB, 16 * KiB, KiB * KiB];
    private static readonly int[] Committees = [4, 7, 10, 13];
    private static readonly int[] Fanouts = [1, 10, 100];
    private static readonly int[] PublisherCounts = [1, 10, 100, 1000];

    /// <summary>The transport floor has a thread for each publisher: with more, it says nothing about the transport.</summary>
    private const int PublishersWithFloorMax = 100;

    public static Task ThroughputAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken) => RunAsync(
        "throughput", (options.Sizes.Count > 0 ? options.Sizes : UsualSizes).Select(size => new Setup(SizeName(size), options.Witnesses, size)), options, output, cancellationToken);

    public static Task SizeAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken) => RunAsync(
        "size", Committees.Select(count => new Setup(Named("n = ", count), count, options.Size)), options, output, cancellationToken);

    public static Task FanoutAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken) => RunAsync(
        "fanout", (options.Counts.Count > 0 ? options.Counts : Fanouts).Select(count => new Setup(Named("receivers: ", count), options.Witnesses, options.Size) { Receivers = count, IsOfParties = true }), options, output, cancellationToken);

    public static Task PublishersAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken) => RunAsync(
        "publishers", (options.Counts.Count > 0 ? options.Counts : PublisherCounts).Select(count => new Setup(Named("publishers: ", count), options.Witnesses, options.Size) { Publishers = count, IsOfParties = true }), options, output, cancellationToken);

    private static async Task RunAsync(string workload, IEnumerable<Setup> setups, BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        Sustained? first = null;
        foreach (Setup setup in setups)
        {
            output.Doing($"{workload}: {setup.Name}", options.RunTime);
            await using BenchCluster cluster = await BenchCluster.StartAsync(setup.Witnesses, hasSlowLinks: false, cancellationToken, setup.Publishers, LoadGroup.ClientsOf(setup.Receivers));
            await using LoadGroup group = await LoadGroup.OpenAsync(cluster, new Payloads(options.Seed, setup.Size), cancellationToken, setup.Publishers, setup.Receivers);
            Sustained run = await group.RunFastAsync(options.WarmUp, options.Time, cancellationToken);
            IEnumerable<Figure> floors = [];
            if (setup.Publishers <= PublishersWithFloorMax)
            {
                output.Doing($"{workload}: {setup.Name}, what this machine could do at most", Floor.TimeOf(options));
                floors = await Floor.MeasureAsync(cluster, run, setup.Publishers, setup.Receivers, options, cancellationToken);
            }

            IEnumerable<Figure> ratios = setup.IsOfParties && first is not null ? RatiosTo(first, run) : [];
            first ??= run;
            output.Measured(new BenchCase(workload, setup.Name, [.. Describe(cluster, setup.Size), .. setup.Figures(), .. run.Rates(setup.Size), .. ratios, .. floors, .. run.Costs()]));
        }
    }

    private static IEnumerable<Figure> RatiosTo(Sustained first, Sustained run) =>
    [
        new("certifiedOfFirst", "certified/s, of the first case's", run.CertifiedPerSecond / first.CertifiedPerSecond, "P0"),
        new("deliveredOfFirst", "delivered/s, of the first case's", run.DeliveredPerSecond / first.DeliveredPerSecond, "P0"),
    ];

    private static string Named(string text, int count) => text + count.ToString(CultureInfo.InvariantCulture);

    /// <summary>What every case says of its cluster and messages.</summary>
    public static IEnumerable<Figure> Describe(BenchCluster cluster, int size)
    {
        yield return new("witnesses", "witnesses (n)", cluster.Count);
        yield return new("faultyMax", "faulty at most (f)", cluster.File.Committee.Size.FaultyMax);
        yield return new("payloadBytes", "payload (bytes)", size);
    }

    public static string SizeName(int size) => size switch
    {
        >= KiB * KiB when size % (KiB * KiB) == 0 => string.Create(CultureInfo.InvariantCulture, $"{size / (KiB * KiB)} MiB"),
        >= KiB when size % KiB == 0 => string.Create(CultureInfo.InvariantCulture, $"{size / KiB} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{size} B"),
    };

    private sealed record Setup(string Name, int Witnesses, int Size)
    {
        public int Publishers { get; init; } = 1;

        public int Receivers { get; init; } = 1;

        /// <summary>The cases differ in how many take part, and in nothing else.</summary>
        public bool IsOfParties { get; init; }

        public IEnumerable<Figure> Figures() => [new("publishers", "publishers", Publishers), new("receivers", "receivers", Receivers)];
    }
}
