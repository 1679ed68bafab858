using Bft.Fuzz.Targets;
using Bft.Style.Tests;

namespace Bft.Fuzz.Tests;

/// <summary>Every input of the corpus, each cut everywhere where it is short, and some thousand changed ones.</summary>
public sealed class CorpusTests
{
    private const int CutMax = 300;

    public static TheoryData<string> Names { get; } = [.. AllTargets.Names];

    private static string Folder { get; } = Path.Combine(Repository.Root, "tests", "Bft.Fuzz", "Corpus");

    [Theory]
    [MemberData(nameof(Names))]
    public void The_corpus_breaks_nothing(string name)
    {
        Target target = AllTargets.Create(name)!;
        using IDisposable? end = target as IDisposable;
        Seed[] corpus = [.. Corpus.Load(Folder, target)];

        Assert.NotEmpty(corpus);
        Assert.All(corpus, seed => Hold(target, seed.Bytes));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_corpus_has_every_sample(string name)
    {
        Target target = AllTargets.Create(name)!;

        Assert.Superset(target.Seeds().Select(seed => seed.Name).ToHashSet(StringComparer.Ordinal), Corpus.Load(Folder, target).Select(seed => seed.Name).ToHashSet(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Quick))]
    public void Samples_are_taken(string name)
    {
        Target target = AllTargets.Create(name)!;

        Assert.Null(Probe.Of(target, target.Seeds().First().Bytes, out Outcome outcome, out _));
        Assert.True(outcome.IsAccepted);
    }

    [Theory]
    [MemberData(nameof(Quick))]
    public void What_is_cut_breaks_nothing(string name)
    {
        Target target = AllTargets.Create(name)!;
        foreach (Seed seed in target.Seeds().Where(seed => seed.Bytes.Length <= CutMax))
        {
            for (int length = 0; length < seed.Bytes.Length; length++)
            {
                Hold(target, seed.Bytes[..length]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Quick))]
    public void A_burst_of_changes_breaks_nothing(string name)
    {
        Target target = AllTargets.Create(name)!;
        string folder = Directory.CreateTempSubdirectory("bft-fuzz-").FullName;
        using (LastInput last = new(Path.Combine(folder, "last"), 1 << 20, TimeSpan.FromMinutes(5)))
        {
            Campaign campaign = new(target, seed: 1, last);

            Assert.Null(campaign.Begin(target.Seeds().Select(seed => seed.Bytes)));
            Assert.Null(campaign.Run(TimeSpan.FromMilliseconds(200), CancellationToken.None));
            Assert.True(campaign.Shapes > 1, "All inputs look the same to the target.");
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <summary>All but those with a network between.</summary>
    public static TheoryData<string> Quick() => [.. AllTargets.Names.Except(AllTargets.OverNetwork)];

    private static void Hold(Target target, byte[] input)
    {
        Finding? finding = Probe.Of(target, input, out _, out _);
        Assert.True(finding is null, $"{finding?.Kind}: {finding?.Text}\n{Convert.ToHexStringLower(input.AsSpan(0, Math.Min(input.Length, 512)))}");
    }
}
