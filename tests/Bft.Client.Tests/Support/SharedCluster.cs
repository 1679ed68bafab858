using Bft.Configuration;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;

namespace Bft.Client.Tests.Support;

/// <summary>Four real witnesses for all tests that break none of them; each test has topics of its own.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("bft-client-").FullName;

    public LocalCluster Cluster { get; private set; } = null!;

    /// <summary>A folder that goes away with the cluster.</summary>
    public string Folder(string name) => Path.Combine(_data, name);

    public async Task InitializeAsync() => Cluster = await LocalCluster.StartedAsync();

    public async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}

[CollectionDefinition(Name)]
public sealed class SharedClusterTests : ICollectionFixture<SharedCluster>
{
    public const string Name = "one cluster";
}

/// <summary>What tests do with clients again and again.</summary>
internal static class Clients
{
    public static CancellationToken Deadline => new CancellationTokenSource(LocalCluster.Patience).Token;

    public static Topic NewTopic() => new($"plain.{Guid.NewGuid():n}");

    public static BftClient Connect(this LocalCluster cluster, Ed25519Signer? identity = null, string? data = null, Action<ClientNotice>? onNotice = null, ClusterFile? file = null) => BftClient.Connect(new BftClientOptions
    {
        Cluster = file ?? cluster.File,
        Identity = identity ?? cluster.Publisher,
        DataDirectory = data,
        OnNotice = onNotice,
    });

    /// <summary>Reads this many messages and copies their payloads.</summary>
    public static async Task<List<byte[]>> ReadAsync(this Subscription subscription, int count)
    {
        List<byte[]> payloads = [];
        await foreach (Delivery delivery in subscription.WithCancellation(Deadline))
        {
            payloads.Add(delivery.Message.Payload.ToArray());
            if (payloads.Count == count)
            {
                break;
            }
        }

        return payloads;
    }
}
