using Bft.Bench.Planning;
using Bft.Client;

namespace Bft.Bench.Tests.Planning;

public sealed class PlanTests
{
    private static readonly int[] Committees = [4, 5, 7, 10, 16, 31, 64];
    private static readonly int[] Sizes = [16, 100, 1024, 16 * 1024, 64 * 1024, 1024 * 1024];

    /// <summary>Reckoned by hand: 4 witnesses, 1 publisher, 1 receiver, a batch of 1,000 messages whose body is B bytes.</summary>
    [Fact]
    public void A_batch_takes_of_the_processors_what_its_parts_add_up_to()
    {
        Deployment cluster = Given.Cluster();
        BatchTimes times = new(Given.Costs, cluster, 1000);
        double bytes = 1000 * cluster.BodyBytesPerMessage;

        Assert.Equal(bytes, times.Bytes, 6);
        Assert.Equal(0.7e-3, times.PublisherAfter, 12); // half of 1 + 4 · 0.1 ms
        Assert.Equal(0.7e-3 + 0.5e-3 + (bytes * 5e-9), times.PublisherBefore, 12); // and 1,000 messages, bytes once for itself and once for each of 4 copies
        Assert.Equal(0.2e-3 + (bytes * 4e-9), times.PublisherSend, 12);
        Assert.Equal(1.3e-3, times.WitnessAfter, 12); // half of 2 + 3 · 0.2 ms
        Assert.Equal(1.3e-3 + (bytes * 1e-9), times.WitnessBefore, 12);
        Assert.Equal(0.1e-3 + (bytes * 1e-9), times.Serve, 12);
        Assert.Equal(1.25e-3 + (bytes * 1e-9), times.Receive, 12);
        Assert.Equal(1.9e-3 + (4 * 2.6e-3) + 1.35e-3 + (bytes * 11e-9), times.Cpu, 12);
        Assert.Equal(times.Cpu / 2, times.Stages().First().SecondsPerBatch, 12);
    }

    [Fact]
    public void The_time_of_a_message_is_M_over_B_and_L_and_P_summed_over_its_path()
    {
        Deployment cluster = Given.Cluster(link: new Link("slow", 1e6, 10e-3), isShared: false);
        BatchTimes times = new(Given.Costs, cluster, 1);
        double copy = ((times.Bytes * 1.05) + 500) / 1e6;
        double commit = 1e-3 + (times.Bytes * 1e-9);

        Assert.Equal(
            times.PublisherBefore + commit + (3 * copy) + 10e-3 + times.WitnessBefore + commit + (3 * 500 / 1e6) + 10e-3 + times.PublisherAfter + 1e-3,
            times.Certified(),
            12);
        Assert.Equal(
            times.PublisherBefore + commit + (3 * copy) + 10e-3 + times.WitnessBefore + commit + (3 * 500 / 1e6) + 10e-3 + times.WitnessAfter + times.Serve + 1e-3 + copy + 10e-3 + times.Receive + 2e-3,
            times.Delivered(),
            12);
    }

    [Fact]
    public void Capacity_is_the_slowest_stages()
    {
        Plan shared = Plan.Of(Given.Costs, Given.Cluster());
        Plan narrow = Plan.Of(Given.Costs, Given.Cluster(link: new Link("narrow", 1e6, 0), isShared: false));

        Assert.Equal("processors of the machine", shared.Slowest.Name);
        Assert.Equal(2 / shared.Full.Cpu * shared.Deployment.FullMessages, shared.Capacity, 6);
        Assert.Equal("publisher: link", narrow.Slowest.Name);
        Assert.Equal(narrow.Deployment.FullMessages / (4 * narrow.Full.Copy), narrow.Capacity, 6);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 0)]
    [InlineData(false, 4)]
    public void More_witnesses_are_never_faster(bool isShared, int link)
    {
        Plan[] plans = [.. Committees.Select(count => Plan.Of(Given.Costs, Given.Cluster(count, link: Link.Presets[link], isShared: isShared), 100))];

        Assert.All(plans.Zip(plans.Skip(1)), pair =>
        {
            Assert.True(pair.Second.Capacity <= pair.First.Capacity);
            Assert.True(pair.Second.CertifiedSeconds >= pair.First.CertifiedSeconds);
            Assert.True(pair.Second.DeliveredSeconds >= pair.First.DeliveredSeconds);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Larger_messages_are_fewer_in_a_second(bool isShared)
    {
        double[] capacities = [.. Sizes.Select(size => Plan.Of(Given.Costs, Given.Cluster(size: size, isShared: isShared)).Capacity)];

        Assert.Equal(capacities.OrderDescending(), capacities);
        Assert.Equal(Sizes.Length, capacities.Distinct().Count());
    }

    [Fact]
    public void Longer_links_take_longer()
    {
        double[] times = [.. Link.Presets.Select(link => Plan.Of(Given.Costs, Given.Cluster(link: link, isShared: false), 100).DeliveredSeconds)];

        Assert.Equal(times.Order(), times);
        Assert.True(times[^1] > 3 * Link.Presets[^1].DelaySeconds);
    }

    [Fact]
    public void What_does_not_fit_grows_the_queue_by_what_is_above_capacity()
    {
        Plan half = Plan.Of(Given.Costs, Given.Cluster());
        Plan much = Plan.Of(Given.Costs, Given.Cluster(), half.Capacity + 1000);

        Assert.True(half.Fits);
        Assert.Equal(half.Capacity / 2, half.Rate);
        Assert.Equal(0, half.Growth);
        Assert.Equal(half.QueueAt(60), half.QueueAt(3600));
        Assert.False(much.Fits);
        Assert.Equal(1000, much.Growth, 6);
        Assert.Equal(1000 * 3540, much.QueueAt(3600) - much.QueueAt(60), 3);
        Assert.Equal((32.0 * 1024 * 1024 / much.Deployment.BodyBytesPerMessage) + (PublisherOptions.Default.WaitingBatchesMax * much.Deployment.FullMessages), much.Room, 3);
    }

    [Fact]
    public void Batches_fill_with_what_arrives_meanwhile_and_carry_the_rate()
    {
        Deployment cluster = Given.Cluster();
        Plan idle = Plan.Of(Given.Costs, cluster, 10);
        Plan[] plans = [.. new double[] { 1000, 10_000, 50_000 }.Select(rate => Plan.Of(Given.Costs, cluster, rate))];

        Assert.Equal(1, idle.BatchMessages);
        Assert.Equal(plans.Select(plan => plan.BatchMessages).Order(), plans.Select(plan => plan.BatchMessages));
        Assert.All(plans, plan =>
        {
            Assert.InRange(plan.BatchMessages, 1, cluster.FullMessages);
            Assert.Equal(plan.Rate, plan.BatchMessages * plan.BatchesPerSecond, 6);

            // All four of the pipeline are under way: Little's law.
            Assert.Equal(4, plan.BatchesPerSecond * (plan.CertifiedSeconds - plan.FillSeconds), 6);
        });
    }

    [Fact]
    public void Disk_and_egress_are_rate_times_bytes()
    {
        Deployment cluster = Given.Cluster(size: 1024, isShared: false) with { Receivers = 8, RetainAge = TimeSpan.FromDays(7) };
        Plan plan = Plan.Of(Given.Costs, cluster, 2000);
        double body = 2000 * cluster.BodyBytesPerMessage;
        double batches = plan.BatchesPerSecond;

        Assert.Equal((body * 1.02) + (batches * 4096), plan.WitnessDisk, 3);
        Assert.Equal(4 * ((body * 1.05) + (batches * 500)), plan.PublisherEgress, 3);
        Assert.Equal((2 * ((body * 1.05) + (batches * 500))) + (4 * batches * 500), plan.WitnessEgress, 3);
        Assert.Equal(plan.WitnessDisk * 86_400, Plan.PerDay(plan.WitnessDisk));
        Assert.Equal(30 * Plan.PerDay(plan.WitnessDisk), Plan.PerMonth(plan.WitnessDisk));
        Assert.Equal(7 * Plan.PerDay(plan.WitnessDisk), plan.KeptBytes!.Value, 0);
        Assert.Null(Plan.Of(Given.Costs, cluster with { RetainAge = null }, 2000).KeptBytes);
        Assert.Equal(5_000_000, Plan.Of(Given.Costs, cluster with { RetainBytes = 5_000_000 }, 2000).KeptBytes);
    }

    [Fact]
    public void A_full_batch_is_what_the_publisher_fills()
    {
        // As bench's runs say: 2,494 messages of 100 bytes in 262,230 bytes; 1 MiB has a batch of its own.
        Assert.Equal((2494, 262_230.0), (Given.Cluster().FullMessages, Math.Round(Given.Cluster().FullMessages * Given.Cluster().BodyBytesPerMessage)));
        Assert.Equal((1, 1_048_613.0), (Given.Cluster(size: 1 << 20).FullMessages, Given.Cluster(size: 1 << 20).BodyBytesPerMessage));
    }
}
