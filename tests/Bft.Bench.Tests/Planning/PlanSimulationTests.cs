using Bft.Bench.Planning;

namespace Bft.Bench.Tests.Planning;

public sealed class PlanSimulationTests
{
    [Fact]
    public void The_same_seed_gives_the_same_result_and_another_one_does_not()
    {
        PlanSimulation[] runs = [.. new[] { 1, 1, 2 }.Select(seed => PlanSimulation.Run(Given.Costs, Given.Cluster(), 20_000, 3, seed))];

        Assert.Equal(runs[0].CertifiedMean, runs[1].CertifiedMean);
        Assert.Equal(runs[0].Queue, runs[1].Queue);
        Assert.NotEqual(runs[0].CertifiedMean, runs[2].CertifiedMean);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    public void A_message_that_is_alone_takes_what_the_formula_says(bool isShared, int link)
    {
        Deployment cluster = Given.Cluster(link: Link.Presets[link], isShared: isShared);
        Plan plan = Plan.Of(Given.Costs, cluster, 2);
        PlanSimulation played = PlanSimulation.Run(Given.Costs, cluster, 2, 100, seed: 1);

        Assert.InRange(plan.CertifiedSeconds / played.CertifiedMean, 0.8, 1.25);
        Assert.InRange(plan.DeliveredSeconds / played.DeliveredP50, 0.8, 1.25);
        Assert.Equal(1, played.BatchMessages);
    }

    /// <summary>Messages on their way are rate times time, in the formula and in the simulation.</summary>
    [Fact]
    public void Littles_law_holds_at_low_load()
    {
        const double rate = 20_000;
        Plan plan = Plan.Of(Given.Costs, Given.Cluster(), rate);
        PlanSimulation played = PlanSimulation.Run(Given.Costs, Given.Cluster(), rate, 10, seed: 1);

        Assert.Equal(rate * plan.CertifiedSeconds, plan.QueueAt(60), 6);
        Assert.InRange(played.Queue.Average(sample => sample.Messages) / (rate * played.CertifiedMean), 0.75, 1.3);
        Assert.InRange(plan.QueueAt(60) / played.Queue.Average(sample => sample.Messages), 0.75, 1.3);
    }

    [Theory]
    [InlineData(true, 0, 100)]
    [InlineData(true, 0, 16_384)]
    [InlineData(false, 0, 100)]
    [InlineData(false, 1, 1024)]
    [InlineData(false, 3, 1024)]
    public void As_fast_as_it_goes_is_the_slowest_stages_capacity(bool isShared, int link, int size)
    {
        Deployment cluster = Given.Cluster(size: size, link: Link.Presets[link], isShared: isShared);
        StageCosts costs = Given.Costs with { Publisher = Given.Costs.Publisher with { PerMessage = 0 } };
        Stage slowest = new BatchTimes(costs, cluster, cluster.FullMessages).Stages().Where(stage => !stage.IsWindow).MinBy(stage => stage.Capacity);

        PlanSimulation played = PlanSimulation.Run(costs, cluster, double.PositiveInfinity, 10, seed: 1);

        Assert.InRange(slowest.Capacity / played.PerSecond, 0.8, 1.25); // a quorum need not wait for the witness that serves the receiver
    }

    [Fact]
    public void What_does_not_fit_waits_and_its_queue_grows_as_the_formula_says()
    {
        double capacity = Plan.Of(Given.Costs, Given.Cluster()).Capacity;
        Plan plan = Plan.Of(Given.Costs, Given.Cluster(), capacity * 1.5);
        PlanSimulation played = PlanSimulation.Run(Given.Costs, Given.Cluster(), capacity * 1.5, 10, seed: 1);

        double growth = (played.Queue[^1].Messages - played.Queue[1].Messages) / (played.Queue[^1].Seconds - played.Queue[1].Seconds);
        Assert.InRange(growth / plan.Growth, 0.8, 1.25);
    }

    [Fact]
    public void Sixty_four_witnesses_can_be_played()
    {
        PlanSimulation played = PlanSimulation.Run(Given.Costs, Given.Cluster(64, isShared: false), 1000, 1, seed: 1);

        Assert.InRange(played.PerSecond, 900, 1100);
    }
}
