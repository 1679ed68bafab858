using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace Bft.Style.Tests;

/// <summary>The bugs that the simulator proves itself on are compiled into one configuration, and into no other.</summary>
public sealed partial class PlantedTests
{
    private const string OnlyHere = "a string that stands in this assembly alone";

    [Fact]
    public void No_assembly_but_the_planted_ones_has_a_planted_bug()
    {
        string[] names = [.. Name().Matches(Repository.Text("src/Bft.Crypto/Planted.cs")).Select(match => match.Groups["name"].Value)];
        string[] assemblies =
        [
            .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.dll", SearchOption.AllDirectories)
                .Where(path => path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/bin/Planted/", StringComparison.Ordinal))
                .Where(path => Path.GetFileName(path).StartsWith("bft", StringComparison.OrdinalIgnoreCase)),
        ];

        Assert.True(names.Length >= 24, $"{names.Length} bugs are planted.");
        Assert.NotEmpty(assemblies);
        foreach (string assembly in assemblies)
        {
            (HashSet<string> types, HashSet<string> strings) = ContentOf(assembly);
            Assert.False(types.Contains("Planted") || types.Contains("PlantedBug"), $"{assembly} has the type.");
            Assert.True(!names.Any(strings.Contains), $"{assembly} names '{names.FirstOrDefault(strings.Contains)}'.");
        }
    }

    [Fact]
    public void A_name_would_be_seen()
    {
        (HashSet<string> types, HashSet<string> strings) = ContentOf(typeof(PlantedTests).Assembly.Location);

        Assert.Contains(nameof(PlantedTests), types);
        Assert.Contains(OnlyHere, strings);
    }

    private static (HashSet<string> Types, HashSet<string> Strings) ContentOf(string path)
    {
        using PEReader file = new(File.OpenRead(path));
        MetadataReader metadata = file.GetMetadataReader();
        HashSet<string> types = [.. metadata.TypeDefinitions.Select(handle => metadata.GetString(metadata.GetTypeDefinition(handle).Name))];
        HashSet<string> strings = [];
        for (UserStringHandle handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
        {
            strings.Add(metadata.GetUserString(handle));
        }

        return (types, strings);
    }

    [GeneratedRegex(@"new\(""(?<name>[a-z0-9-]+)"",")]
    private static partial Regex Name();
}
