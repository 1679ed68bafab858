using System.Text.RegularExpressions;

namespace Bft.Style.Tests;

/// <summary>Words and lengths: the style page, as far as a machine can hold it.</summary>
public sealed partial class TextTests
{
    private static readonly string[] Folders = [.. new[] { "src", "tests", "proto", "docs" }.Where(folder => Directory.Exists(Path.Combine(Repository.Root, folder)))];

    [Fact]
    public void No_file_is_a_drawer()
    {
        Assert.DoesNotContain(
            Folders.SelectMany(folder => Repository.Sources(folder)),
            path => DrawerName().IsMatch(Path.GetFileNameWithoutExtension(path)));
    }

    [Fact]
    public void Files_are_short()
    {
        int[] lengths = [.. Repository.Sources("src").Select(path => Repository.Text(path).Count(character => character == '\n')).Order()];

        Assert.True(lengths[lengths.Length / 2] < 120, $"The median file has {lengths[lengths.Length / 2]} lines.");
        Assert.True(lengths.Count(length => length > 300) <= lengths.Length / 12, $"{lengths.Count(length => length > 300)} of {lengths.Length} files have more than 300 lines.");
        Assert.True(lengths[^1] <= 600, $"A file has {lengths[^1]} lines.");
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        Assert.Empty(Matches(Folders.Where(folder => folder != "docs"), Unfinished()));
    }

    [Fact]
    public void Words_of_leader_based_consensus_stay_unused()
    {
        Assert.Empty(Matches(["src/Bft.Protocol"], LeaderWord()));
    }

    [Fact]
    public void Thresholds_are_computed_in_one_type()
    {
        Assert.DoesNotContain(Matches(["src"], Threshold()), match => !match.StartsWith("src/Bft.Protocol/Membership/CommitteeSize.cs", StringComparison.Ordinal));
    }

    [Fact]
    public void No_path_of_a_machine_stands_in_the_tree()
    {
        Assert.Empty(Matches(Folders, MachinePath(), "*.*"));
    }

    private static IEnumerable<string> Matches(IEnumerable<string> folders, Regex pattern, string files = "*.cs") =>
        folders.SelectMany(folder => Repository.Sources(folder, files))
            .Where(path => !path.StartsWith("tests/Bft.Style.Tests/", StringComparison.Ordinal))
            .SelectMany(path => pattern.Matches(Repository.Text(path)).Select(match => $"{path}: {match.Value}"));

    [GeneratedRegex("(Utils?|Utilit(y|ies)|Helpers?|Manager|Common|Misc)$")]
    private static partial Regex DrawerName();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\b(leader|Leader|viewNumber|ViewChange|roundNumber)\b")]
    private static partial Regex LeaderWord();

    [GeneratedRegex(@"FaultyMax\s*[-+*/]|[-+*/]\s*\w*\.?FaultyMax|Size\.Count\s*\*\s*2|Quorum\s*[-+]\s*\d")]
    private static partial Regex Threshold();

    [GeneratedRegex(@"/work/(wt|main|shared)|/root/|/home/\w+/")]
    private static partial Regex MachinePath();
}
