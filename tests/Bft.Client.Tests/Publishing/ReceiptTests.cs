using Bft.Client.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;

namespace Bft.Client.Tests.Publishing;

[Collection(SharedClusterTests.Name)]
public sealed class ReceiptTests(SharedCluster shared)
{
    [Fact]
    public async Task P5_a_receipt_holds_offline_and_a_changed_one_does_not()
    {
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(Clients.NewTopic());
        PublishedMessage published = await publisher.PublishAsync(new Message("proven"u8.ToArray()), Clients.Deadline);
        byte[] bytes = published.ToReceipt().Encode();
        ReceiptVerifier verifier = new(shared.Cluster.Committee, Ed25519.Instance);

        Assert.True(verifier.TryVerify(bytes, out VerifiedReceipt? verified, out _));
        Assert.Equal("proven"u8, verified.Messages[0].Content.Message.Payload.Span);
        Assert.Equal(client.Identity, verified.Header.Publisher);

        int changed = bytes.AsSpan().IndexOf("proven"u8);
        bytes[changed] ^= 1;
        Assert.False(verifier.TryVerify(bytes, out _, out _));
    }

    [Fact]
    public async Task Receipts_of_publisher_and_reader_go_to_a_file_and_come_back()
    {
        Topic topic = Clients.NewTopic();
        string path = shared.Folder("receipts");
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { KeepReceipts = true });
        PublishTicket ticket = await publisher.SendAsync(new Message("kept"u8.ToArray()), Clients.Deadline);
        await ReceiptFile.AppendAsync(path, [await ticket.GetReceiptAsync(Clients.Deadline)]);
        await using Subscription subscription = await client.SubscribeAsync(topic);
        await foreach (DeliveredBatch batch in subscription.ReadBatchesAsync(Clients.Deadline))
        {
            await ReceiptFile.AppendAsync(path, [batch.ToReceipt(0)]);
            break;
        }

        IReadOnlyList<Receipt> receipts = await ReceiptFile.LoadAsync(path);
        ReceiptVerifier verifier = new(shared.Cluster.Committee, Ed25519.Instance);

        Assert.Equal(2, receipts.Count);
        Assert.All(receipts, receipt =>
        {
            Assert.True(verifier.TryVerify(receipt, out VerifiedReceipt? verified, out _));
            Assert.Equal("kept"u8, verified.Messages[0].Content.Message.Payload.Span);
        });
    }

    [Fact]
    public async Task A_receipt_of_a_body_that_was_given_back_is_refused_with_what_to_do()
    {
        await using BftClient client = shared.Cluster.Connect();
        await using Publisher publisher = await client.OpenPublisherAsync(Clients.NewTopic());
        PublishTicket ticket = await publisher.SendAsync(new Message("x"u8.ToArray()), Clients.Deadline);

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => ticket.GetReceiptAsync(Clients.Deadline));

        Assert.Contains(nameof(PublisherOptions.KeepReceipts), refused.Message, StringComparison.Ordinal);
    }
}
