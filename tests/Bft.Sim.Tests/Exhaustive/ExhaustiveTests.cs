using Bft.Sim.SmallScope;

namespace Bft.Sim.Tests.Exhaustive;

public sealed class ExhaustiveTests
{
    private static readonly ExhaustiveOptions OneBroadcast = new() { Slots = 1, Crashes = 1 };

    private static readonly ExhaustiveOptions Fork = OneBroadcast with { Publisher = SmallPublisher.Forking, Crashes = 0 };

    [Fact]
    public void One_broadcast_with_a_crash_holds_in_every_state()
    {
        ExhaustiveReport report = Search(OneBroadcast);

        AssertComplete(report);
        Assert.True(report.WitnessStates > 500 && report.Healed > 30, $"{report.WitnessStates} states of a witness, {report.Healed} healed");
    }

    [Fact]
    public void One_broadcast_holds_along_every_interleaving()
    {
        ExhaustiveReport report = Search(OneBroadcast with { IsReduced = false, Crashes = 0 });

        AssertComplete(report);
        Assert.True(report.States > 5_000 && report.Healed == report.States, $"{report.States} states, {report.Healed} healed");
    }

    [Fact]
    public void The_reduction_leaves_out_no_state_of_any_witness()
    {
        ExhaustiveOptions options = OneBroadcast with { Crashes = 0, IsHealed = false };

        ExhaustiveReport reduced = Search(options);
        ExhaustiveReport whole = Search(options with { IsReduced = false });

        AssertComplete(reduced);
        AssertComplete(whole);
        Assert.True(reduced.States < whole.States / 100, $"{reduced.States} of {whole.States} states");
        Assert.Equal(whole.WitnessStates, reduced.WitnessStates);
    }

    [Fact]
    public void A_forking_publisher_and_a_byzantine_witness_break_nothing() => AssertComplete(Search(Fork));

    [Fact]
    public void Two_byzantine_witnesses_of_four_are_seen_to_break_consistency()
    {
        ExhaustiveReport report = Search(Fork with { Byzantine = 2 });

        Assert.StartsWith("Consistency: ", report.Violation, StringComparison.Ordinal);
        Assert.Equal(6, report.Steps.Count);
        Assert.False(report.IsComplete);
    }

    [Theory]
    [InlineData(SmallFault.CallsSealedDurable, SmallPublisher.Correct, "W1", 2)]
    [InlineData(SmallFault.ForgetsAcks, SmallPublisher.Forking, "W1", 7)]
    [InlineData(SmallFault.ForgetsCertificates, SmallPublisher.Correct, "Durability", 12)]
    [InlineData(SmallFault.TellsPeersNothing, SmallPublisher.Correct, "Validity|Totality", 12)]
    public void A_mistake_is_found_and_told_in_few_steps(SmallFault fault, SmallPublisher publisher, string rule, int steps)
    {
        ExhaustiveReport report = Search(OneBroadcast with { Fault = fault, Publisher = publisher });

        Assert.Matches($"^({rule}): ", report.Violation);
        Assert.InRange(report.Steps.Count, 1, steps);
    }

    [Fact]
    public void A_bound_ends_the_search_and_is_named()
    {
        ExhaustiveReport report = Search(OneBroadcast with { WitnessStatesMax = 100 });

        Assert.False(report.IsComplete);
        Assert.Null(report.Violation);
        Assert.StartsWith("100 states of one witness: ", report.Bound, StringComparison.Ordinal);
    }

    private static ExhaustiveReport Search(ExhaustiveOptions options) => SmallScope.Exhaustive.Search(options);

    private static void AssertComplete(ExhaustiveReport report)
    {
        Assert.Null(report.Violation);
        Assert.Null(report.Bound);
        Assert.True(report.IsComplete);
    }
}
