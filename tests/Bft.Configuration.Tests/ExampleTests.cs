using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Bft.Protocol;
using Bft.Protocol.Model;

namespace Bft.Configuration.Tests;

/// <summary>The cluster.yaml at the top of the repository, from which people learn what there is.</summary>
public sealed class ExampleTests
{
    private static readonly string Path = System.IO.Path.Combine(AppContext.BaseDirectory, "cluster.yaml");

    [Fact]
    public void The_example_is_read_and_its_limits_are_the_defaults_as_it_says()
    {
        ClusterFile example = ClusterFile.Load(Path);

        Assert.Equal(ClusterLimits.Default, example.Limits);
        Assert.NotNull(example.PolicyFor(new Topic("release/1.0"))!.RetainHistoryAge);
        Assert.Equal(["auditor"], example.Clients.Where(client => example.PolicyFor(new Topic("audit"))!.Readers.Contains(client.Key)).Select(client => client.Name));
    }

    [Theory]
    [InlineData(typeof(ClusterLimits))]
    [InlineData(typeof(WitnessEntry))]
    [InlineData(typeof(ClientEntry))]
    [InlineData(typeof(TopicPolicy))]
    [InlineData(typeof(SharingPolicy))]
    [InlineData(typeof(EdgePolicy))]
    public void The_example_shows_every_setting(Type part)
    {
        string text = File.ReadAllText(Path);
        string[] settings =
        [
            .. part.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ?? false)
                .Select(property => property.Name switch
                {
                    nameof(TopicPolicy.Publishers) => "publish",
                    nameof(TopicPolicy.Readers) => "read",
                    nameof(WitnessEntry.Socket) => "unix",
                    var name => JsonNamingPolicy.CamelCase.ConvertName(name),
                })
                .Except(["index", "pattern"], StringComparer.Ordinal), // the place, and the key itself
        ];

        Assert.NotEmpty(settings);
        Assert.All(settings, setting => Assert.Contains($" {setting}: ", text, StringComparison.Ordinal));
    }
}
