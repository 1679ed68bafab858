using System.Diagnostics;
using System.Text.Json;
using Bft.Cluster.Tests.Support;
using Bft.Grpc.Tests;
using Bft.Storage;

namespace Bft.Cluster.Tests.Foreign;

/// <summary>What another implementation can do with proto/ and docs/wire.md alone.</summary>
[Collection(SharedClusterTests.Name)]
public sealed class ForeignTests(SharedCluster shared) : IClassFixture<NodeScripts>
{
    [NodeTheory]
    [InlineData("health")]
    [InlineData("info")]
    [InlineData("wrong_pin")]
    [InlineData("reflection")]
    [InlineData("broadcast")]
    public async Task A_foreign_client_is_served(string chosen)
    {
        using SecretBytes seed = KeyFile.Load(shared.Cluster.KeyFileOf("publisher"));
        ProcessStartInfo start = NodeScripts.Prepare("node", "client.mjs", chosen);
        start.Environment["BFT_FOREIGN"] = JsonSerializer.Serialize(new
        {
            cluster = $"{shared.Cluster.File.Committee.Cluster}",
            seed = Convert.ToHexStringLower(seed.Span),
            witnesses = shared.Cluster.File.Witnesses.Select(witness => new { target = witness.Address.Authority, key = $"{witness.Key}", pin = $"{witness.Pin}" }),
        });
        Assert.Equal("ok", (await NodeScripts.RunAsync(Process.Start(start)!)).Trim());
    }
}
