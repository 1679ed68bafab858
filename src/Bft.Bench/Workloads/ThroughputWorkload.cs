using System.Globalization;
using Bft.Bench.Load;
using Bft.Bench.Results;
using Bft.Bench.Running;

namespace Bft.Bench;

/// <summary>One publisher as fast as it may, one receiver that checks everything; a fresh cluster for each message size.</summary>
internal static class ThroughputWorkload
{
    private const string Name = "throughput";
    private const int KiB = 1024;
    private static readonly int[] Usual = [16, 100, KiB, 16 * KiB, KiB * KiB];

    public static async Task RunAsync(BenchOptions options, IBenchOutput output, CancellationToken cancellationToken)
    {
        foreach (int size in options.Sizes.Count > 0 ? options.Sizes : Usual)
        {
            output.Doing($"{Name} {SizeName(size)}");
            await using BenchCluster cluster = await BenchCluster.StartAsync(options.Witnesses, hasSlowLinks: false, cancellationToken);
            await using LoadPair pair = await LoadPair.OpenAsync(cluster, new Payloads(options.Seed, size), cancellationToken);
            Sustained run = await pair.RunFastAsync(options.WarmUp, options.Time, cancellationToken);
            output.Measured(new BenchCase(Name, SizeName(size), [.. Describe(cluster, size), .. run.Rates(size), .. run.Costs()]));
        }
    }

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
}
