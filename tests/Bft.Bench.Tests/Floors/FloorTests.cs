using Bft.Bench.Floors;
using Bft.Bench.Running;
using Bft.Crypto;
using Bft.Storage;

namespace Bft.Bench.Tests.Floors;

/// <summary>That the floors do the work that they are given, not how fast.</summary>
public sealed class FloorTests : IDisposable
{
    private static readonly BatchWork Work = new(Witnesses: 4, Receivers: 1, Messages: 10, BodyBytes: 100_000, Signatures: 1.5, Verifications: 8, WitnessFlushes: 0.5, PublisherFlushes: 1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bft-floor-");
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromMinutes(5));

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _deadline.Dispose();
    }

    [Fact]
    public void Each_party_hashes_once_each_pair_copies_once_and_each_journal_writes_once()
    {
        Assert.Equal((6, 5, 5), (Work.HashPasses, Work.Crossings, Work.Writes));
    }

    [Fact]
    public void A_rate_is_messages_in_a_second_and_a_cost_the_processor_time_of_a_million()
    {
        Assert.Equal(new FloorRate(500, 250), FloorRate.Of(messages: 2000, seconds: 4, cpuSeconds: 0.5));
    }

    [Fact]
    public async Task Light_makes_the_signatures_verifications_and_flushes_that_the_run_made()
    {
        (long made, long verified, long flushes) = (SignatureCounts.Made, SignatureCounts.Verified, FileDisk.Flushes);
        FloorRate rate = await SpeedOfLight.MeasureAsync(Work, _folder.FullName, TimeSpan.Zero, TimeSpan.FromSeconds(2), _deadline.Token);

        Assert.True(rate is { PerSecond: > 0, CpuSecondsPerMillion: > 0 }, $"{rate}");
        (double signatures, double verifications, double flushed) = (SignatureCounts.Made - made, SignatureCounts.Verified - verified, FileDisk.Flushes - flushes);
        Assert.InRange(signatures, 1, double.MaxValue);
        Assert.InRange(verifications / signatures, 0.8 * Work.Verifications / Work.Signatures, 1.2 * Work.Verifications / Work.Signatures);
        Assert.InRange(flushed / signatures, 0.8 * 3 / Work.Signatures, 1.2 * 3 / Work.Signatures);
    }

    [Fact]
    public void A_bare_journal_flushes_as_often_as_it_is_told_and_keeps_one_file()
    {
        byte[] bytes = new byte[16 << 20];
        using BareJournal journal = new(_folder.FullName, 0.25);

        Assert.Equal([false, false, false, true, false, false, false, true, false, false], Enumerable.Range(0, 10).Select(_ => journal.Write(bytes)));
        Assert.Equal(2 * bytes.Length, Assert.Single(_folder.GetFiles()).Length);
    }

    [Fact]
    public void What_crosses_the_loopback_is_taken_whole()
    {
        using LoopbackPair pair = new();
        foreach (int size in new[] { 0, 1, 32 * 1024, 1_000_003 })
        {
            pair.Cross(new byte[size]);
        }
    }

    [Fact]
    public async Task The_transport_floor_moves_bytes_through_processes_and_leaves_none_of_them()
    {
        await using BenchCluster cluster = await BenchCluster.StartAsync(4, hasSlowLinks: false, _deadline.Token);

        // On a crowded machine nothing may become durable in two seconds.
        FloorRate rate;
        do
        {
            rate = await TransportFloor.MeasureAsync(Work, publishers: 2, cluster.Scratch, cluster.DirectoryOf, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), _deadline.Token);
        }
        while (rate.PerSecond == 0);

        Assert.InRange(rate.CpuSecondsPerMillion, double.Epsilon, double.MaxValue);
        Assert.All(Enumerable.Range(0, 4), witness => Assert.True(new DirectoryInfo(Path.Combine(cluster.Scratch, $"discard-{witness}")).EnumerateFiles().Sum(file => file.Length) >= Work.BodyBytes));
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc").Select(CommandLine), line => line.Contains(cluster.Scratch, StringComparison.Ordinal));
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
