using System.Xml.Linq;

namespace Bft.Style.Tests;

/// <summary>Which project may use which: docs/architecture.md says so, and nothing else compiles past here.</summary>
public sealed class DoorTests
{
    private static readonly Dictionary<string, string[]> Doors = new(StringComparer.Ordinal)
    {
        ["Bft.Crypto"] = [],
        ["Bft.Protocol"] = ["Bft.Crypto"],
        ["Bft.Configuration"] = ["Bft.Protocol"],
        ["Bft.Storage"] = ["Bft.Protocol"],
        ["Bft.Grpc"] = [],
        ["Bft.Wire"] = ["Bft.Grpc", "Bft.Protocol"],
        ["Bft.Client"] = ["Bft.Configuration", "Bft.Grpc", "Bft.Storage", "Bft.Wire"],
        ["Bft.Node"] = ["Bft.Configuration", "Bft.Grpc", "Bft.Storage", "Bft.Wire"],
        ["Bft.Bench"] = ["Bft.Client", "Bft.Configuration", "Bft.Grpc", "Bft.Storage", "Bft.Wire"],
        ["Bft.Cli"] = ["Bft.Bench", "Bft.Client", "Bft.Configuration", "Bft.Node", "Bft.Storage"],
    };

    [Fact]
    public void Each_project_opens_only_its_own_doors()
    {
        foreach (string path in Repository.Sources("src", "*.csproj"))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            string[] used = [.. XDocument.Parse(Repository.Text(path)).Descendants("ProjectReference").Select(item => Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value))];

            Assert.True(Doors.TryGetValue(name, out string[]? allowed), $"{name} has no entry in docs/architecture.md and here.");
            Assert.True(used.All(allowed.Contains), $"{name} uses {string.Join(", ", used.Except(allowed))}.");
        }
    }

    [Theory]
    [InlineData("Witnessing", "Publishing Receiving Certifying CatchUp Receipts Roles")]
    [InlineData("Certifying", "Publishing Receiving Witnessing CatchUp Receipts Roles")]
    [InlineData("Publishing", "Receiving Witnessing CatchUp Receipts Roles")]
    [InlineData("Receiving", "Publishing Witnessing CatchUp Receipts Roles")]
    [InlineData("Model", "Publishing Receiving Witnessing Certifying CatchUp Receipts Roles")]
    [InlineData("Verification", "Publishing Receiving Witnessing Certifying CatchUp Receipts Roles")]
    public void Rooms_of_the_protocol_do_not_use_one_another(string room, string others)
    {
        string[] files = [.. Repository.Sources("src/Bft.Protocol").Where(path => path.StartsWith($"src/Bft.Protocol/{room}/", StringComparison.Ordinal))];

        Assert.NotEmpty(files);
        foreach (string other in others.Split(' '))
        {
            Assert.DoesNotContain(files, path => Repository.Text(path).Contains($"using Bft.Protocol.{other};", StringComparison.Ordinal));
        }
    }
}
