using System.Text.RegularExpressions;

namespace Bft.Style.Tests;

/// <summary>Each rule has one id in three places: docs/protocol.md, a comment in the code, a test's name.</summary>
public sealed partial class RuleTests
{
    /// <summary>The rules that are built so far; docs/protocol.md marks the others as planned.</summary>
    private static readonly string[] Built =
        ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W10", "W11", "C1", "C2", "C3", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "S1", "S2", "S3"];

    [Fact]
    public void Each_rule_is_in_the_page_the_code_and_the_tests()
    {
        string page = Repository.Text("docs/protocol.md");
        string code = string.Concat(Repository.Sources("src").Select(Repository.Text));
        string tests = string.Concat(Repository.Sources("tests").Select(Repository.Text));
        foreach (string rule in Built)
        {
            Assert.True(Regex.IsMatch(page, $@"\*\*{rule}\*\*"), $"{rule} is not in docs/protocol.md.");
            Assert.True(Regex.IsMatch(code, $@"//[^\n]*\b{rule}\b"), $"{rule} is in no comment.");
            Assert.True(Regex.IsMatch(tests, $@"public (async Task|void) {rule}_"), $"No test is named {rule}_….");
        }
    }

    [Fact]
    public void The_code_names_no_rule_that_the_page_lacks()
    {
        string page = Repository.Text("docs/protocol.md");
        string[] named = [.. Repository.Sources("src").SelectMany(path => RuleId().Matches(Repository.Text(path)).Select(match => match.Groups["id"].Value)).Distinct()];

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, id => !page.Contains($"**{id}**", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"//.*?\b(?<id>[PWCRS]\d{1,2})\b")]
    private static partial Regex RuleId();
}
