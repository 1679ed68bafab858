using Bft.Bench.Measuring;
using Bft.Bench.Running;
using Bft.Client;
using Bft.Crypto;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Bench.Load;

/// <summary>Where a run stands at a moment: what went through, and what each process has used for it.</summary>
internal sealed class Usage
{
    private Usage(LoadGroup group, WitnessHealth[] health, long? wireBytes)
    {
        Time = Monotonic.Now;
        Certified = group.Certified;
        Delivered = group.Delivered;
        BatchSizes = group.TakeBatchSizes();
        Client = ProcessUsage.Of(Environment.ProcessId);
        Witnesses = [.. group.Cluster.Witnesses.Select(witness => witness is null ? null : ProcessUsage.Of(witness.Id))];
        WireBytes = wireBytes;
        BodyBytes = group.BodyBytes;
        Commits = [.. health.Select(answer => (long?)answer.Status?.Mark.Value)];
        Work = [.. health.Select(answer => answer.Status?.Work)];
        ClientWork = new WorkCounts(SignatureCounts.Made, SignatureCounts.Verified, FileDisk.Flushes, (long)GC.GetTotalPauseDuration().TotalMicroseconds, GC.GetTotalAllocatedBytes());
    }

    /// <summary>See <see cref="Monotonic.Now"/>.</summary>
    public long Time { get; }

    public long Certified { get; }

    public long Delivered { get; }

    /// <summary>Of the batches certified since the moment before this one.</summary>
    public BatchSizes BatchSizes { get; }

    /// <summary>Of the bodies of batches that are certified.</summary>
    public long BodyBytes { get; }

    public ProcessUsage? Client { get; }

    /// <summary>Of publishers and receivers.</summary>
    public WorkCounts ClientWork { get; }

    /// <summary>As each witness says. Null for one that does not answer.</summary>
    public IReadOnlyList<WorkCounts?> Work { get; }

    /// <summary>Null for one that does not run.</summary>
    public IReadOnlyList<ProcessUsage?> Witnesses { get; }

    /// <summary>Sent between all of these processes, TLS and all; null where that cannot be told.</summary>
    public long? WireBytes { get; }

    /// <summary>Group commits, as each witness says; each is one flush. Null for one that does not answer.</summary>
    public IReadOnlyList<long?> Commits { get; }

    public static async Task<Usage> TakeAsync(LoadGroup group, CancellationToken cancellationToken)
    {
        Task<WitnessHealth[]> asking = group.Control.GetStatusAsync(cancellationToken);

        // A dead or hostile witness is not waited for.
        await Task.WhenAny(asking, Task.Delay(TimeSpan.FromSeconds(2), cancellationToken));
        WitnessHealth[] health = asking.IsCompletedSuccessfully ? await asking : [.. group.Cluster.Witnesses.Select((_, index) => new WitnessHealth(new(index), null, "late", default))];
        HashSet<int> processes = [Environment.ProcessId, .. group.Cluster.Witnesses.OfType<WitnessProcess>().Select(witness => witness.Id)];
        return new Usage(group, health, await Measuring.WireBytes.SentByAsync(processes, cancellationToken));
    }
}
