namespace Bft.Sim.Tests.Shrinking;

public sealed class DeltaDebuggingTests
{
    [Theory]
    [InlineData(1, new[] { 0 })]
    [InlineData(10, new[] { 9 })]
    [InlineData(100, new[] { 3, 50, 97 })]
    [InlineData(333, new[] { 0, 1, 2, 331, 332 })]
    public void What_is_left_is_exactly_what_is_needed(int count, int[] needed)
    {
        int[] all = [.. Enumerable.Range(0, count)];

        List<int> kept = DeltaDebugging.Minimise(all, some => needed.All(some.Contains));

        Assert.Equal(needed, kept);
    }

    [Fact]
    public void Nothing_is_left_when_nothing_is_needed()
    {
        Assert.Empty(DeltaDebugging.Minimise([1, 2, 3], _ => true));
    }

    [Fact]
    public void No_single_item_can_go_where_more_than_one_set_fails()
    {
        // Fails with any three of the even ones.
        static bool Fails(IReadOnlyList<int> some) => some.Count(item => item % 2 == 0) >= 3;

        List<int> kept = DeltaDebugging.Minimise([.. Enumerable.Range(0, 41)], Fails);

        Assert.True(Fails(kept));
        Assert.Equal(3, kept.Count);
    }
}
