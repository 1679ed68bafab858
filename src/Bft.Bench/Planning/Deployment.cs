using Bft.Client;
using Bft.Protocol;
using Bft.Protocol.Bodies;
using Bft.Protocol.Membership;

namespace Bft.Bench.Planning;

/// <summary>What is planned: who there is, what they send, and what they run on. Machines are alike, and like the one that the costs were measured on.</summary>
public sealed record Deployment
{
    /// <summary>What a witness lets a sender have under way on one call (its EdgeLimits), and what a client lets it. Unit: bytes.</summary>
    private const double WitnessStreamBytes = 1024 * 1024;

    private const double ClientStreamBytes = 4 * 1024 * 1024;

    private readonly Lazy<(int Messages, int Bytes)> _full;

    public Deployment() => _full = new(FullBatch);

    /// <summary>From 4 to 64.</summary>
    public required CommitteeSize Witnesses { get; init; }

    /// <summary>Of a payload. Unit: bytes.</summary>
    public required int Size { get; init; }

    /// <summary>Of all of them together; alike. <value>Default 1.</value></summary>
    public int Publishers { get; init; } = 1;

    /// <summary>Each gets everything, from one of the witnesses. <value>Default 1.</value></summary>
    public int Receivers { get; init; } = 1;

    public required Link Link { get; init; }

    /// <summary>Of each machine.</summary>
    public required double Cores { get; init; }

    /// <summary>All parties run on one machine, as in a bench; else each has its own.</summary>
    public bool IsShared { get; init; }

    /// <summary>P4. <value>Default: the defaults.</value></summary>
    public ClusterLimits Limits { get; init; } = ClusterLimits.Default;

    /// <summary>Bodies are cut that are older than this. <value>Default: none.</value></summary>
    public TimeSpan? RetainAge { get; init; }

    /// <summary>The oldest bodies are cut beyond this. Unit: bytes. <value>Default: no limit.</value></summary>
    public long? RetainBytes { get; init; }

    /// <summary>In a batch that is full.</summary>
    public int FullMessages => _full.Value.Messages;

    /// <summary>Of a body, with its part of frames and table.</summary>
    public double BodyBytesPerMessage => (double)_full.Value.Bytes / _full.Value.Messages;

    /// <summary>Batches of all publishers under way below which one leaves without being full.</summary>
    public int Pipeline => PublisherOptions.Default.PipelineDepth * Publishers;

    /// <summary>Receivers of the witness that has most of them.</summary>
    public int CopiesMax => (Receivers + Witnesses.Count - 1) / Witnesses.Count;

    /// <summary>P4: body bytes of a publisher that are not certified.</summary>
    public double WindowBytes(double batchBytes) => Math.Min(Limits.WindowBytes, Limits.WindowSlots * batchBytes);

    /// <summary>How long a window of HTTP/2 holds each byte on its way to a witness, and to a receiver.</summary>
    public (double ToWitness, double ToReceiver) HeldPerByte => (2 * Link.DelaySeconds / WitnessStreamBytes, 2 * Link.DelaySeconds / ClientStreamBytes);

    /// <summary>By filling one, as a publisher does.</summary>
    private (int Messages, int Bytes) FullBatch()
    {
        BodyBuilder body = new(Limits);
        Message message = new(new byte[Size]);
        int full = Math.Min(PublisherOptions.Default.BatchBytesTarget, Limits.BatchBytesMax);
        int bytes = 0;
        while (bytes < full && body.TryAdd(message))
        {
            bytes = body.BodyLength;
        }

        return (body.Count, bytes);
    }
}
