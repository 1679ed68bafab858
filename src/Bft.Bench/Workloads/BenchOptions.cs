namespace Bft.Bench;

/// <summary>What to measure, and for how long.</summary>
public sealed record BenchOptions
{
    /// <summary>Which, in this order. See <see cref="BenchRun.Workloads"/>.</summary>
    public required IReadOnlyList<string> Workloads { get; init; }

    /// <summary>Witnesses. <value>Default 4, from 4 to 64.</value></summary>
    public int Witnesses { get; init; } = 4;

    /// <summary>Payload sizes of <c>throughput</c> and <c>transport</c>; all other workloads take the first, or 100. Unit: bytes. <value>Default: none, which means 16, 100, 1 KiB, 16 KiB and 1 MiB for <c>throughput</c>, and 100, 1 KiB, 16 KiB, 64 KiB and 1 MiB for <c>transport</c>.</value></summary>
    public IReadOnlyList<int> Sizes { get; init; } = [];

    /// <summary>How long each figure is measured. <value>Default 10 s.</value></summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Before each measurement, under the same load. <value>Default 3 s.</value></summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Saturation, of which open loops are a share. Unit: messages per second. <value>Default: null; it is measured first.</value></summary>
    public double? Rate { get; init; }

    /// <summary>Of <c>faulty</c>: pairs of a run with a fault and one without; of <c>recovery</c>: kills; of <c>transport</c>: parts that each figure is measured in, in turn. <value>Default 5.</value></summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Faults of <c>faulty</c>. See <see cref="BenchRun.Faults"/>. <value>Default: all.</value></summary>
    public IReadOnlyList<string> Faults { get; init; } = BenchRun.Faults;

    /// <summary>How many publish in <c>publishers</c>, and receive in <c>fanout</c>, one case each. <value>Default: none, which means 1, 10, 100 and 1,000 publishers, and 1, 10 and 100 receivers.</value></summary>
    public IReadOnlyList<int> Counts { get; init; } = [];

    /// <summary>Streams of <c>idle-streams</c>. <value>Default 2,000.</value></summary>
    public int Streams { get; init; } = 2000;

    /// <summary>Whether <c>throughput</c> and <c>latency</c> also go through NATS JetStream and RabbitMQ, where they are installed, in turn with Bft; no other workload does. <value>Default false.</value></summary>
    public bool HasPeers { get; init; }

    /// <summary>Chooses the messages' bytes. <value>Default 1.</value></summary>
    public int Seed { get; init; } = 1;

    /// <summary>Of one measurement with its warm-up.</summary>
    internal TimeSpan RunTime => WarmUp + Time;

    internal int Size => Sizes.Count > 0 ? Sizes[0] : 100;
}
