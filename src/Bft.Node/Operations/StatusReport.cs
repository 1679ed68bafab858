using System.Reflection;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a witness says about itself, to anyone (info) and to known clients (status).</summary>
internal sealed class StatusReport(NodeIdentity identity, string dataDirectory, Run run, BatchStore store, WitnessDriver driver, PeerLinks peers, NodeLifetime lifetime)
{
    private const long LowSpace = 256L * 1024 * 1024; // free bytes from which on it is told
    private readonly long _startedUnixMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public InfoFrame Info { get; } = new(
        identity.Committee.Cluster,
        identity.Index,
        identity.Signer.PublicKey,
        identity.Committee.Epoch,
        $"bft {typeof(StatusReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}",
        identity.Committee.Limits);

    public StatusFrame Now()
    {
        long free = new DriveInfo(dataDirectory).AvailableFreeSpace;
        StreamStatus[] streams = [.. store.Streams.Take(FrameLimits.StatusStreamsMax).Select(StatusOf)];
        int known = store.StreamCount;
        return new StatusFrame(identity.Index, lifetime.IsFaulted ? WitnessState.Faulted : driver.State, free < LowSpace ? $"{free >> 20} MiB are left on the disk: at none the witness stops" : "")
        {
            Run = run,
            Mark = driver.DurableMark,
            StartedUnixMs = _startedUnixMs,
            JournalBytes = BytesOf(new DirectoryInfo(dataDirectory).EnumerateFiles()),
            EvidenceCount = driver.EvidenceCount,
            StreamCount = known,
            DamagedCount = store.Damages.Count,
            RepairedCount = store.Damages.Mended,
            Work = new WorkCounts(SignatureCounts.Made, SignatureCounts.Verified, FileDisk.Flushes, (long)GC.GetTotalPauseDuration().TotalMicroseconds, GC.GetTotalAllocatedBytes()),
            Peers = [.. peers.All.Select(link => new PeerStatus(link.Peer, link.IsConnected, link.LastHeardMs))],
            Streams = streams,
            IsStreamsTruncated = known > streams.Length,
        };
    }

    /// <summary>The bytes of files. One that is gone since it was listed (a segment retired, a checkpoint renamed) counts nothing.</summary>
    internal static long BytesOf(IEnumerable<FileInfo> listed) => listed.Sum(file => file.Exists ? file.Length : 0);

    private static StreamStatus StatusOf(StreamLog log) =>
        new(log.Header.Id, log.Header.Topic, log.Header.Publisher, log.Header.Incarnation, log.Tip?.Sequence, log.Floor);
}
