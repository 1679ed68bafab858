using System.Collections.Concurrent;
using System.Text;
using Bft.Client;
using Bft.Cluster.Tests.Support;
using Bft.Crypto;
using Bft.Protocol.Bodies;
using Bft.Protocol.Model;
using Bft.Protocol.Receipts;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Delivery = Bft.Client.Delivery;

namespace Bft.Cluster.Tests;

/// <summary>kill -9 of all witnesses at once, under load, again and again.</summary>
public sealed class KillTests
{
    private const int Rounds = 3;
    private readonly ConcurrentQueue<(int Number, byte[] Receipt)> _receipts = new();
    private readonly List<byte[]> _sent = [];

    [Fact]
    public async Task What_was_certified_survives_the_crash_of_all_and_no_slot_is_acked_twice()
    {
        await using ProcessCluster cluster = await ProcessCluster.StartedAsync();
        Topic topic = ProcessCluster.NewTopic();
        StreamHeader? stream = null;
        await using (BftClient client = cluster.Connect("publisher"))
        await using (Publisher publisher = await client.OpenPublisherAsync(topic, new PublisherOptions { KeepReceipts = true }, ProcessCluster.Deadline))
        {
            using CancellationTokenSource enough = new();
            Task publishing = Task.Run(() => PublishAsync(publisher, enough.Token));
            for (int round = 0; round < Rounds; round++)
            {
                int before = _receipts.Count;
                await Poll(() => _receipts.Count > before + 50);
                await Task.Delay(Random.Shared.Next(300)); // when it happens is chance
                await cluster.KillAsync();
                int given = _receipts.Count;
                Assert.True(given > before);
                stream ??= publisher.Stream;
                await cluster.StartAsync();
            }

            await enough.CancelAsync();
            await publishing;
            await publisher.FlushAsync(ProcessCluster.Deadline);
            Assert.Equal(stream, publisher.Stream);
        }

        Sequence last = await ReadAsync(cluster, topic);
        AssertReceiptsHold(cluster);
        await AssertOldSlotsStandAsync(cluster, stream!, topic, last.Value);
    }

    private static async Task Poll(Func<bool> isSo)
    {
        CancellationToken deadline = ProcessCluster.Deadline;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(5));
        while (!isSo())
        {
            await timer.WaitForNextTickAsync(deadline);
        }
    }

    private async Task PublishAsync(Publisher publisher, CancellationToken enough)
    {
        List<Task> receipts = [];
        for (int number = 0; !enough.IsCancellationRequested; number++)
        {
            byte[] payload = Encoding.UTF8.GetBytes($"message {number}\n");
            _sent.Add(payload);
            PublishTicket ticket = await publisher.SendAsync(new Message(payload), CancellationToken.None);
            if (number % 10 == 0)
            {
                receipts.Add(KeepReceiptAsync(number, ticket));
                await Task.Delay(1, CancellationToken.None); // a load, not a flood: batches small and many
            }
        }

        await Task.WhenAll(receipts).WaitAsync(ProcessCluster.Patience, CancellationToken.None);
    }

    private async Task KeepReceiptAsync(int number, PublishTicket ticket) => _receipts.Enqueue((number, (await ticket.GetReceiptAsync()).Encode()));

    /// <summary>What was published is what a new reader gets, byte for byte.</summary>
    private async Task<Sequence> ReadAsync(ProcessCluster cluster, Topic topic)
    {
        int read = 0;
        await using BftClient client = cluster.Connect("reader");
        await using Subscription subscription = await client.SubscribeAsync(topic, cancellationToken: ProcessCluster.Deadline);
        await foreach (Delivery delivery in subscription.WithCancellation(ProcessCluster.Deadline))
        {
            Assert.Equal(_sent[read++], delivery.Message.Payload.ToArray());
            if (read == _sent.Count)
            {
                return delivery.Sequence;
            }
        }

        throw new InvalidOperationException("The subscription ended.");
    }

    private void AssertReceiptsHold(ProcessCluster cluster)
    {
        ReceiptVerifier verifier = new(cluster.File.Committee, Ed25519.Instance);
        Assert.All(_receipts, given =>
        {
            Assert.True(verifier.TryVerify(given.Receipt, out VerifiedReceipt? verified, out RejectReason reason), reason.ToString());
            Assert.Equal(_sent[given.Number], Assert.Single(verified.Messages).Content.Message.Payload.ToArray());
        });
    }

    /// <summary>W3: whoever holds the publisher's key and offers another batch in an old slot is shown the first one, by every witness.</summary>
    private async Task AssertOldSlotsStandAsync(ProcessCluster cluster, StreamHeader stream, Topic topic, ulong last)
    {
        using Ed25519Signer signer = cluster.SignerOf("publisher");
        Chain forger = new(stream.Cluster, signer, topic) { Incarnation = stream.Incarnation };
        ReceiptVerifier verifier = new(cluster.File.Committee, Ed25519.Instance);
        Dictionary<Sequence, Digest> proven = [];
        foreach ((_, byte[] receipt) in _receipts)
        {
            Assert.True(verifier.TryVerify(receipt, out VerifiedReceipt? verified, out _));
            proven[verified.Sequence] = verified.Statement.Statement.Digest;
        }

        for (int witness = 0; witness < ProcessCluster.Count; witness++)
        {
            using RawClient client = new(cluster, witness);
            using RawCall<IPublishRequest, IPublishReply> call = await client.PublishAsync();
            foreach (ulong slot in new ulong[] { 0, last / 2, last }.Distinct())
            {
                SignedBatch other = forger.Batch(slot, "another\n"u8.ToArray());
                await call.WriteAsync(new BatchFrame(other));
                RefusalFrame refusal = await call.NextAsync<RefusalFrame>();
                Assert.Equal((RefusalReason.Conflict, new Sequence(slot)), (refusal.Reason, refusal.Slot.Sequence));
                Digest original = Sha256.Hash(refusal.Original!.Bytes.Span);
                Assert.NotEqual(Sha256.Hash(other.Statement.Span), original);
                Assert.Equal(proven.GetValueOrDefault(new Sequence(slot), original), original);
            }
        }
    }
}
