namespace Bft.Sim.Tests.Adversaries;

public sealed class AdversaryTests
{
    private static readonly RunPlan Plan = new() { ByzantinePublishers = 1, Receivers = 2, Broadcasts = 10, BroadcastEveryMicroseconds = 100_000 };

    [Theory]
    [InlineData(AdversaryKind.Twins)]
    [InlineData(AdversaryKind.Mutator)]
    [InlineData(AdversaryKind.Colluder)]
    [InlineData(AdversaryKind.Silent)]
    public void Each_kind_attacks_and_f_of_them_break_nothing(AdversaryKind kind)
    {
        long attacks = 0;
        for (ulong seed = 1; seed <= 4; seed++)
        {
            RunResult result = Run.Perform(new RunRequest(seed, Plan with { Byzantine = [kind] }), withTrace: true);

            Assert.True(result.Violation is null, $"seed {seed}: {result.Violation}");
            int[] byzantine = [.. Enumerable.Range(0, result.Parties.Count).Where(party => result.Parties[party][0] is 'W')];
            attacks += result.Trace!.Events.Count(happened => happened.Kind == TraceKind.Attack && byzantine.Contains(happened.Party));
        }

        // A colluder's moves are noted with the publisher that it helps; its own slips are rare.
        Assert.True(kind == AdversaryKind.Colluder || attacks > 0);
    }

    [Fact]
    public void A_conspiring_publisher_equivocates_and_is_found_out()
    {
        long attacks = 0, evidence = 0;
        for (ulong seed = 1; seed <= 4; seed++)
        {
            RunResult result = Run.Perform(new RunRequest(seed, Plan with { Byzantine = [AdversaryKind.Colluder] }), withTrace: true);
            attacks += result.Trace!.Events.Count(happened => happened.Kind == TraceKind.Attack && result.Parties[happened.Party] == "X0");
            evidence += result.Trace.Events.Count(happened => happened.Kind == TraceKind.Evidence);
        }

        Assert.True(attacks > 20);
        Assert.True(evidence > 0);
    }

    [Fact]
    public void An_attack_can_be_taken_away_and_the_rest_stays()
    {
        RunRequest request = new(2, Plan with { Byzantine = [AdversaryKind.Mutator] });
        RunResult whole = Run.Perform(request);
        ChoiceId[] attacks = [.. whole.Faults.Select(fault => fault.Id).Where(id => id.Stream == ChoiceStream.Adversary)];

        RunResult without = Run.Perform(request with { Removed = new SortedSet<ChoiceId>(attacks) });

        Assert.True(attacks.Length > 10);
        Assert.DoesNotContain(without.Faults, fault => attacks.Contains(fault.Id));
    }

    [Fact]
    public void More_than_f_colluders_and_an_equivocator_make_a_fork_that_is_seen()
    {
        int seen = 0;
        for (ulong seed = 1; seed <= 10; seed++)
        {
            RunResult result = Run.Perform(new RunRequest(seed, Plan with { Byzantine = [AdversaryKind.Colluder, AdversaryKind.Colluder], ByzantinePublishers = 2 }));
            seen += result.Expected is not null ? 1 : 0;
        }

        Assert.True(seen > 0, "f + 1 colluders forked nothing: their attack is blunt.");
    }
}
