namespace Bft.Sim.Tests.Running;

public sealed class ExpectationTests
{
    private static readonly RunRequest Beyond = new(1, new RunPlan { Byzantine = [AdversaryKind.Twins, AdversaryKind.Twins] });

    [Theory]
    [InlineData("consistency", true)]
    [InlineData("accountability", false)]
    [InlineData("exception", false)]
    [InlineData("order", false)]
    public void Beyond_the_model_only_some_properties_may_break(string checker, bool isExpected)
    {
        Violation violation = new(checker, "", 0, []);

        Assert.Equal(isExpected, Expectations.IsExpected(Beyond, violation));
        Assert.False(Expectations.IsExpected(Beyond with { Plan = Beyond.Plan with { Witnesses = 7 } }, violation));
    }
}
