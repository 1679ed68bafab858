using Bft.Bench.Load;

namespace Bft.Bench.Tests.Load;

public sealed class LatencyProbeTests
{
    [Fact]
    public void Only_the_messages_asked_for_count_each_from_when_it_was_due()
    {
        LatencyProbe probe = new(first: 10, count: 5, dueAt: message => message * 100);
        probe.OnCertified(8, 4, 2000); // 10 and 11 count
        probe.OnCertified(12, 10, 2050); // 12, 13 and 14 count
        probe.OnDelivered(0, 10, 5000);

        Assert.Equal(5, probe.Certified.Count);
        Assert.Equal(1000, probe.Certified.Max);
        Assert.InRange(probe.Certified.Quantile(0.01), 650, 655);
        Assert.Equal(0, probe.Delivered.Count);
    }
}
