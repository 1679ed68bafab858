using Bft.Cluster.Tests.Support;

namespace Bft.Cluster.Tests.Hostile;

/// <summary>What an attack may cost a witness in resident memory.</summary>
internal sealed class MemoryWatch
{
    private const long MiB = 1024 * 1024;

    /// <summary>Of a whole process, whatever happens to it. Unit: bytes.</summary>
    private const long ResidentMax = 512 * MiB;

    private readonly WitnessProcess _witness;
    private readonly long _before;

    public MemoryWatch(WitnessProcess witness)
    {
        _witness = witness;
        _witness.ForgetPeak();
        _before = _witness.Memory().Now;
    }

    /// <param name="grownMax">What the attack may have added at its worst. Unit: MiB.</param>
    public void AssertBounded(int grownMax)
    {
        long peak = _witness.Memory().Peak;
        Assert.InRange(peak, 1, ResidentMax);
        Assert.True(peak - _before <= grownMax * MiB, $"Resident memory grew from {_before / MiB} to {peak / MiB} MiB.");
    }
}
