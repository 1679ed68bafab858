using Bft.Client.Tests.Support;
using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Style.Tests;

namespace Bft.Client.Tests;

/// <summary>The README's lines of client code compile and do what they say.</summary>
[Collection(SharedClusterTests.Name)]
public sealed class ReadmeTests(SharedCluster shared)
{
    [Fact]
    public async Task The_sample_publishes_proves_and_reads()
    {
        ClusterFile cluster = shared.Cluster.File;
        Ed25519Signer identity = shared.Cluster.Publisher;
        string folder = shared.Folder("readme");
        string receipt = Path.Combine(folder, "rate.receipt");
        Topic topic = Clients.NewTopic();
        List<byte[]> processed = [];

        await using BftClient client = BftClient.Connect(new BftClientOptions { Cluster = cluster, Identity = identity, DataDirectory = folder });

        await using Publisher publisher = await client.OpenPublisherAsync(topic);
        PublishedMessage published = await publisher.PublishAsync(new Message("EURUSD 1.0842"u8.ToArray()));
        await ReceiptFile.AppendAsync(receipt, [published.ToReceipt()]); // proves this one message, offline, without the rest of its batch

        await using Subscription rates = await client.SubscribeAsync(topic, new SubscriptionOptions { CursorName = "ledger" });
        await foreach (Delivery delivery in rates)
        {
            Process(delivery.Message.Payload);
            await rates.CommitAsync(delivery); // durable: after a crash it goes on here
            break;
        }

        Assert.Equal("EURUSD 1.0842"u8.ToArray(), Assert.Single(processed));
        ReceiptVerifier verifier = new(cluster.Committee, Ed25519.Instance);
        Assert.True(verifier.TryVerify(Assert.Single(await ReceiptFile.LoadAsync(receipt)), out VerifiedReceipt? proof, out _));
        Assert.Equal("EURUSD 1.0842"u8.ToArray(), Assert.Single(proof.Messages).Content.Message.Payload.ToArray());

        void Process(ReadOnlyMemory<byte> payload) => processed.Add(payload.ToArray());
    }

    [Fact]
    public void The_sample_stands_in_the_README()
    {
        string here = Repository.Text("tests/Bft.Client.Tests/ReadmeTests.cs");
        string readme = Repository.Text("README.md");
        string sample = readme.Split("```csharp")[1].Split("```")[0];
        string[] lines =
        [
            .. sample.Replace("ClusterFile.Load(\"cluster.yaml\")", "cluster", StringComparison.Ordinal)
                .Replace("KeyFile = \"clients/client/identity.key\"", "Identity = identity, DataDirectory = folder", StringComparison.Ordinal)
                .Replace("new Topic(\"rates\")", "topic", StringComparison.Ordinal)
                .Replace("\"rate.receipt\"", "receipt", StringComparison.Ordinal)
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        ];

        Assert.True(lines.Length > 8);
        Assert.All(lines, line => Assert.Contains(line, here, StringComparison.Ordinal));
    }
}
