namespace Bft.Sim.Tests.Profiles;

public sealed class PlanFileTests
{
    [Fact]
    public void What_is_printed_is_read_again()
    {
        foreach (ulong seed in Enumerable.Range(1, 200))
        {
            string text = PlanFile.ToYaml(Sim.Profiles.Draw("swarm", seed), "heading");

            Assert.Equal(text, PlanFile.ToYaml(PlanFile.Parse(text, "a.yaml"), "heading"));
        }
    }

    [Fact]
    public void What_is_left_out_keeps_its_default()
    {
        RunPlan plan = PlanFile.Parse("witnesses: 7\nbyzantine: [twins, colluder]\nisOrdered: false\nlossPpm: 30_000\n", "a.yaml");

        Assert.Equal([AdversaryKind.Twins, AdversaryKind.Colluder], plan.Byzantine);
        Assert.Equal((7, false, 30_000, 40), (plan.Witnesses, plan.IsOrdered, plan.LossPpm, plan.Broadcasts));
    }

    [Theory]
    [InlineData("witnesses: 4\nlosPpm: 3\n", "a.yaml:2: there is no key 'losPpm'; known are bitRotPpm, broadcastEveryMicroseconds, broadcasts, byzantine,")]
    [InlineData("witnesses: 14\n", "a.yaml:1: witnesses is 4 to 13, not '14'.")]
    [InlineData("witnesses: 4\n\nlossPpm: -1\n", "a.yaml:3: lossPpm is 0 to 1000000, not '-1'.")]
    [InlineData("lossPpm: 1.5\n", "a.yaml:1: lossPpm is 0 to 1000000, not '1.5'.")]
    [InlineData("isOrdered: yes\n", "a.yaml:1: isOrdered is true or false, not 'yes'.")]
    [InlineData("byzantine: [twin]\n", "a.yaml:1: 'twin' is no adversary; known are twins, mutator, colluder, silent.")]
    [InlineData("byzantine: 2\n", "a.yaml:1: byzantine is a list:")]
    [InlineData("byzantine: [twins, twins, twins, twins, twins]\n", "a.yaml: byzantine names 5 of 4 witnesses.")]
    [InlineData("delayMinMicroseconds: 9\ndelayMaxMicroseconds: 8\n", "a.yaml: delayMinMicroseconds is above delayMaxMicroseconds.")]
    [InlineData("witnesses: 4\nwitnesses: 5\n", "a.yaml:2:")]
    [InlineData("a: [", "a.yaml:")]
    [InlineData("- 1\n", "a.yaml: a plan is one list of KEY: VALUE lines.")]
    [InlineData("lossPpm: &x 1\ntopics: *x\n", "aliases are refused")]
    public void A_slip_is_an_error_with_its_place(string text, string message)
    {
        CommandException error = Assert.Throws<CommandException>(() => PlanFile.Parse(text, "a.yaml"));

        Assert.Equal(ExitCode.Usage, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
