using System.Globalization;
using Bft.Bench.Measuring;
using Bft.Bench.Results;
using Bft.Wire.Frames;

namespace Bft.Bench.Load;

/// <summary>What went through between two moments, and what it cost.</summary>
internal sealed record Sustained(Usage Before, Usage After)
{
    private const double MiB = 1024 * 1024;

    public double Seconds => (After.Time - Before.Time) / 1e9;

    public double CertifiedPerSecond => (After.Certified - Before.Certified) / Seconds;

    public double DeliveredPerSecond => (After.Delivered - Before.Delivered) / Seconds;

    /// <summary>What all processes did together; null when a witness did not say.</summary>
    public WorkCounts? Work => After.Work.Zip(Before.Work, Between).Append(Between(After.ClientWork, Before.ClientWork)).Aggregate((one, other) => Sum(one, other, 1));

    /// <summary>Flushes of the witnesses that said so.</summary>
    public long WitnessFlushes => After.Work.Zip(Before.Work, Between).Sum(work => work?.Flushes ?? 0);

    private double Millions => (After.Certified - Before.Certified) / 1e6;

    /// <summary>Processor seconds of all processes for a million messages; null when one did not run all the time.</summary>
    public double? CpuSecondsPerMillion =>
        Enumerable.Range(0, After.Witnesses.Count).Select(CpuSecondsOf).Append(After.Client?.CpuSeconds - Before.Client?.CpuSeconds).Aggregate((one, other) => one + other) / Millions;

    /// <summary>Processor seconds that a witness used; null when it did not run all the time.</summary>
    public double? CpuSecondsOf(int witness) => After.Witnesses[witness]?.CpuSeconds - Before.Witnesses[witness]?.CpuSeconds;

    public IEnumerable<Figure> Rates(int size)
    {
        yield return new("seconds", "measured (s)", Seconds, "N1");
        yield return new("certifiedPerSecond", "certified/s", CertifiedPerSecond);
        yield return new("deliveredPerSecond", "delivered/s", DeliveredPerSecond);
        yield return new("deliveredMegabytesPerSecond", "payload delivered (MB/s)", DeliveredPerSecond * size / 1e6, "N1");
    }

    public IEnumerable<Figure> Costs()
    {
        if (After.BatchSizes is { Count: > 0 } batches)
        {
            yield return new("batchMessagesP50", "messages per batch, p50", batches.Messages.Quantile(0.5));
            yield return new("batchMessagesMax", "messages per batch, max", batches.Messages.Max);
            yield return new("batchBytesP50", "bytes per batch, p50", batches.Bytes.Quantile(0.5));
            yield return new("batchBytesMax", "bytes per batch, max", batches.Bytes.Max);
        }

        if (Millions <= 0)
        {
            yield break;
        }

        yield return new("batchesPerMillion", "batches (a publisher's signature each) per million", After.BatchSizes.Count / Millions, "N1");

        double[] commits = [.. After.Commits.Zip(Before.Commits, (after, before) => (double?)(after - before)).OfType<double>()];
        if (commits.Length > 0)
        {
            yield return new("commitsPerMillionPerWitness", "group commits (a flush each) per million, per witness", commits.Average() / Millions, "N1");
        }

        if (Work is { } work)
        {
            yield return new("signaturesPerMillion", "signatures per million, all processes", work.Signatures / Millions, "N1");
            yield return new("verificationsPerMillion", "signatures verified per million, all processes", work.Verifications / Millions, "N1");
            yield return new("flushesPerMillion", "flushes per million, all processes", work.Flushes / Millions, "N1");
        }

        if (After.WireBytes - Before.WireBytes is { } wire and > 0)
        {
            yield return new("wireBytesPerMessage", "bytes on the wire per message, all links", wire / Millions / 1e6, "N1");
        }

        double[] written = [.. After.Witnesses.Zip(Before.Witnesses, (after, before) => (double?)(after?.WrittenBytes - before?.WrittenBytes)).OfType<double>()];
        if (written.Any(bytes => bytes > 0))
        {
            yield return new("diskBytesPerMessagePerWitness", "bytes on disk per message, per witness", written.Average() / Millions / 1e6, "N1");
        }

        if (CpuSecondsPerMillion is { } all)
        {
            yield return new("cpuSecondsPerMillion", "CPU s per million, all processes", all, "N2");
        }

        for (int witness = 0; witness < After.Witnesses.Count; witness++)
        {
            if (CpuSecondsOf(witness) is { } used)
            {
                yield return new(Named("cpuSecondsPerMillionWitness", witness), Named("CPU s per million, witness ", witness), used / Millions, "N2");
            }
        }

        if (After.Client?.CpuSeconds - Before.Client?.CpuSeconds is { } own)
        {
            yield return new("cpuSecondsPerMillionClients", "CPU s per million, publisher and receiver", own / Millions, "N2");
        }

        for (int witness = 0; witness < After.Witnesses.Count; witness++)
        {
            if (After.Witnesses[witness] is { } one)
            {
                yield return new(Named("peakMebibytesWitness", witness), Named("peak memory (MiB), witness ", witness), one.PeakBytes / MiB);
            }
        }

        if (After.Client is { } client)
        {
            yield return new("peakMebibytesClients", "peak memory (MiB), publisher and receiver", client.PeakBytes / MiB);
        }

        for (int witness = 0; witness < After.Work.Count; witness++)
        {
            if (Between(After.Work[witness], Before.Work[witness]) is { } one)
            {
                yield return new(Named("gcPauseMillisecondsPerSecondWitness", witness), Named("GC pauses (ms per s), witness ", witness), one.PauseMicroseconds / 1000.0 / Seconds, "N1");
                yield return new(Named("allocatedBytesPerMessageWitness", witness), Named("allocated per message (bytes), witness ", witness), one.AllocatedBytes / Millions / 1e6, "N1");
            }
        }

        yield return new("gcPauseMillisecondsPerSecondClients", "GC pauses (ms per s), publisher and receiver", (After.ClientWork.PauseMicroseconds - Before.ClientWork.PauseMicroseconds) / 1000.0 / Seconds, "N1");
        yield return new("allocatedBytesPerMessageClients", "allocated per message (bytes), publisher and receiver", (After.ClientWork.AllocatedBytes - Before.ClientWork.AllocatedBytes) / Millions / 1e6, "N1");
    }

    public static IEnumerable<Figure> Latency(string name, string label, Histogram histogram)
    {
        (string Name, string Label, long Nanoseconds)[] points =
        [
            ("P50", "p50", histogram.Quantile(0.5)), ("P90", "p90", histogram.Quantile(0.9)), ("P99", "p99", histogram.Quantile(0.99)), ("P999", "p99.9", histogram.Quantile(0.999)), ("Max", "max", histogram.Max),
        ];
        return points.Select(point => new Figure($"{name}Milliseconds{point.Name}", $"{label} {point.Label} (ms)", point.Nanoseconds / 1e6, "N2"));
    }

    private static WorkCounts? Between(WorkCounts? after, WorkCounts? before) => Sum(after, before, -1);

    private static WorkCounts? Sum(WorkCounts? one, WorkCounts? other, int sign) => one is { } left && other is { } right
        ? new WorkCounts(
            left.Signatures + (sign * right.Signatures), left.Verifications + (sign * right.Verifications), left.Flushes + (sign * right.Flushes), left.PauseMicroseconds + (sign * right.PauseMicroseconds),
            left.AllocatedBytes + (sign * right.AllocatedBytes))
        : null;

    private static string Named(string text, int witness) => text + witness.ToString(CultureInfo.InvariantCulture);
}
