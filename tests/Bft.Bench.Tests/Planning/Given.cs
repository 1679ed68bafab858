using Bft.Bench.Planning;
using Bft.Protocol.Membership;

namespace Bft.Bench.Tests.Planning;

/// <summary>Costs that are easy to reckon with, and a cluster to plan.</summary>
internal static class Given
{
    /// <summary>A publisher takes 1 ms of a batch and 0.1 ms for each witness, a witness 2 ms and 0.2 ms for each peer, half of it before the batch is certified; bytes cost 1 ns wherever they pass.</summary>
    public static StageCosts Costs { get; } = new()
    {
        Machine = "paper",
        HashPerByte = 1e-9,
        Sign = 20e-6,
        Verify = 40e-6,
        Flush = 1e-3,
        WritePerByte = 1e-9,
        CrossPerFrame = 50e-6,
        CrossPerByte = 2e-9,
        Publisher = new(1e-3, 0.1e-3, 1e-9, 0.5e-6),
        Witness = new(2e-3, 0.2e-3, 1e-9, 0),
        Serve = new(0.1e-3, 0, 1e-9, 0),
        Receiver = new(1e-3, 0, 1e-9, 0.25e-6),
        BeforeShare = 0.5,
        CertifiedRest = 1e-3,
        DeliveredRest = 2e-3,
        ProcessorShare = 1,
        WireBytesPerByte = 1.05,
        WireBytesPerPair = 500,
        DiskBytesPerByte = 1.02,
        DiskBytesPerBatch = 4096,
    };

    public static Link Loopback => Link.Presets[0];

    public static Deployment Cluster(int witnesses = 4, int size = 100, Link? link = null, bool isShared = true, double cores = 2) =>
        new() { Witnesses = new CommitteeSize(witnesses), Size = size, Link = link ?? Loopback, Cores = cores, IsShared = isShared };
}
