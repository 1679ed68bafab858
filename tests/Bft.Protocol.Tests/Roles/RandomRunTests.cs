namespace Bft.Protocol.Tests.Roles;

/// <summary>Thousands of short runs. A failure names its seed, and the seed repeats it.</summary>
public sealed class RandomRunTests
{
    [Theory]
    [InlineData(4, 500)]
    [InlineData(5, 200)]
    [InlineData(6, 200)]
    [InlineData(7, 100)]
    public void Consistency_holds_against_a_faulty_publisher_and_f_faulty_witnesses(int witnesses, int runs)
    {
        (int tips, int proven) = RunAll(witnesses, runs, isPublisherCorrect: false);

        // The runs are worth something: many certify, many see the fork.
        Assert.True(tips > runs / 10, $"{tips} tips");
        Assert.True(proven > runs / 10, $"{proven} proven");
    }

    [Theory]
    [InlineData(4, 200)]
    [InlineData(5, 100)]
    [InlineData(6, 100)]
    [InlineData(7, 50)]
    public void Validity_a_correct_publisher_s_stream_never_dies(int witnesses, int runs)
    {
        (int tips, int proven) = RunAll(witnesses, runs, isPublisherCorrect: true);
        Assert.True(tips > runs);
        Assert.Equal(0, proven);
    }

    private static (int Tips, int Proven) RunAll(int witnesses, int runs, bool isPublisherCorrect)
    {
        int tips = 0;
        int proven = 0;
        using Support.TestCluster cluster = RandomRun.Cluster(witnesses);
        for (int seed = 1; seed <= runs; seed++)
        {
            RandomRun run = new((ulong)((seed * 100) + witnesses), cluster, isPublisherCorrect);
            try
            {
                run.Run(40 * witnesses);
            }
            catch (Exception exception) when (exception is Xunit.Sdk.XunitException or InvalidOperationException or NullReferenceException or OverflowException or ArgumentException or KeyNotFoundException)
            {
                throw new InvalidOperationException($"Seed {seed}, {witnesses} witnesses: {exception}", exception);
            }

            tips += run.Tips;
            proven += run.HasForkedPublisher ? 1 : 0;
        }

        return (tips, proven);
    }
}
