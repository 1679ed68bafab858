using System.Security.Cryptography;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node.Tests.Ingress;

public sealed class PublishTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly LocalCluster _cluster = new();

    public async Task InitializeAsync()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(index => _cluster.StartAsync(index)));
        await _cluster.AllAckAsync();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Batches_that_their_own_publisher_did_not_sign_end_its_call_and_hold_its_key_off()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster).ConnectAsync(0, 1);
        SignedBatch unsigned = publisher.Append("x") with { Signature = new Signature(RandomNumberGenerator.GetBytes(Signature.Length)) };
        int refused = 0;
        RpcException end = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (refused < 100)
            {
                try
                {
                    await publisher.Calls[0].WriteAsync(new BatchFrame(unsigned));
                }
                catch (RpcException)
                {
                    // The call ended before this was read, which resets the request; why is told to whoever reads on.
                }

                Assert.Equal(RefusalReason.BadSignature, (await publisher.Calls[0].NextAsync<RefusalFrame>()).Reason);
                refused++;
            }
        });

        Assert.Equal(StatusCode.ResourceExhausted, end.StatusCode);
        Assert.InRange(refused, 9, 12); // ten are too many; offences fade by half in a minute
        Assert.Contains($"key {_cluster.Publisher.PublicKey} may open no session", _cluster[0].Log, StringComparison.Ordinal);
        using TestConnection connection = new(_cluster, 0);
        await connection.StatusAsync(_cluster.Reader); // behind the same address
        await publisher.Calls[1].WriteAsync(new BatchFrame(publisher.Batches[0]));
        await publisher.AcksAsync(publisher.Calls[1]); // no other witness heard of it
    }

    [Fact]
    public async Task W3_another_batch_in_an_acked_slot_gets_the_first_original_and_its_ack()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster).ConnectAsync(0);
        SignedBatch first = publisher.Append("first");
        await publisher.SendAsync(first);
        await publisher.AcksAsync(publisher.Calls[0]);

        await publisher.SendAsync(publisher.Sign(0, Ancestor.None, "second"));

        RefusalFrame refusal = await publisher.Calls[0].NextAsync<RefusalFrame>();
        Assert.Equal(RefusalReason.Conflict, refusal.Reason);
        Assert.Equal(first.Statement.ToArray(), refusal.Original!.Bytes.ToArray());
        Assert.Equal(first.Signature, refusal.Original.Signature);
        Assert.False(refusal.Acks.IsEmpty);
        await _cluster[0].WhenLogged("evidence");
    }

    [Fact]
    public async Task W3_another_batch_in_a_stored_slot_gets_the_certified_one_and_its_certificate()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishAsync("first");
        await publisher.PublishAsync("next");
        await StoredAsync(publisher, 1);

        await publisher.Calls[0].WriteAsync(new BatchFrame(publisher.Sign(0, Ancestor.None, "second")));

        RefusalFrame refusal = await publisher.Calls[0].NextAsync<RefusalFrame>();
        Assert.Equal(RefusalReason.Conflict, refusal.Reason);
        Assert.Equal(publisher.Batches[0].Statement.ToArray(), refusal.Original!.Bytes.ToArray());
        Assert.True(QuorumCertificate.TryParse(refusal.Certificate.Span, out QuorumCertificate? certificate));
        Assert.True(certificate.Covers(Sequence.Zero));
        await _cluster[0].WhenLogged("evidence");
        await _cluster[1].WhenLogged("evidence"); // W10
    }

    [Fact]
    public async Task W2_the_same_batch_in_a_stored_slot_gets_its_certificate()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishAsync();
        await StoredAsync(publisher, 0);

        await publisher.Calls[0].WriteAsync(new BatchFrame(publisher.Batches[0]));

        CertifiedFrame certified = await publisher.Calls[0].NextAsync<CertifiedFrame>();
        Assert.True(QuorumCertificate.TryParse(certified.Certificate.Span, out QuorumCertificate? certificate));
        Assert.True(certificate.Covers(Sequence.Zero));
        Assert.Equal(publisher.Batches[0].Statement.ToArray(), certified.Statements[0].Bytes.ToArray());
    }

    [Fact]
    public async Task A_topic_without_a_policy_is_refused_by_name()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster, topic: "nowhere").ConnectAsync(0);
        await publisher.SendAsync(publisher.Append());
        RefusalFrame refusal = await publisher.Calls[0].NextAsync<RefusalFrame>();
        Assert.Equal(RefusalReason.UnknownTopic, refusal.Reason);
        Assert.Contains("'nowhere'", refusal.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_publish_is_refused_before_anything_is_acked()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster, signer: _cluster.Reader).ConnectAsync(0);
        await publisher.SendAsync(publisher.Append());
        Assert.Equal(RefusalReason.NotAllowed, (await publisher.Calls[0].NextAsync<RefusalFrame>()).Reason);
    }

    [Fact]
    public async Task A_forged_signature_and_another_body_are_refused_and_the_call_goes_on()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster).ConnectAsync(0);
        SignedBatch batch = publisher.Append();
        byte[] body = batch.Body.ToArray();
        body[^1] ^= 1;
        await publisher.SendAsync(batch with { Signature = publisher.Sign(9, Ancestor.Previous(default), "x").Signature });
        Assert.Equal(RefusalReason.BadSignature, (await publisher.Calls[0].NextAsync<RefusalFrame>()).Reason);
        await publisher.SendAsync(batch with { Body = body });
        Assert.Equal(RefusalReason.Malformed, (await publisher.Calls[0].NextAsync<RefusalFrame>()).Reason);
        await publisher.SendAsync(batch);
        Assert.Equal(Sha256.Hash(batch.Statement.Span), (await publisher.AcksAsync(publisher.Calls[0]))[0].Batch.Digest);
    }

    [Fact]
    public async Task P7_an_inquiry_is_answered_with_tips_and_with_originals_from_there_up()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishAsync();
        await StoredAsync(publisher, 0);
        publisher.Append();
        await publisher.Calls[0].WriteAsync(new BatchFrame(publisher.Batches[1]));
        Assert.Equal(1UL, (await publisher.AcksAsync(publisher.Calls[0]))[0].Batch.Sequence.Value);

        await publisher.Calls[0].WriteAsync(new InquiryFrame(new Topic("orders")));

        StandingFrame standing = await publisher.Calls[0].NextAsync<StandingFrame>();
        Assert.True(QuorumCertificate.TryParse(Assert.Single(standing.Certificates).Span, out QuorumCertificate? certificate));
        Assert.Equal(new Slot(publisher.Header.Id, Sequence.Zero), certificate.Batch.Slot);
        Assert.Equal(publisher.Batches.Select(batch => batch.Statement.ToArray()), standing.Originals.Select(original => original.Bytes.ToArray()));
    }

    [Fact]
    public async Task P7_a_publisher_gets_the_bodies_of_its_own_batches_certified_or_not()
    {
        using TestPublisher publisher = await new TestPublisher(_cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishAsync();
        await StoredAsync(publisher, 0);
        publisher.Append();
        await publisher.Calls[0].WriteAsync(new BatchFrame(publisher.Batches[1]));
        await publisher.AcksAsync(publisher.Calls[0]);

        await publisher.Calls[0].WriteAsync(new FetchFrame(publisher.Header.Id, Sequence.Zero, new Sequence(9), WithBodies: true));

        for (int i = 0; i < 2; i++)
        {
            BodyFrame body = await publisher.Calls[0].NextAsync<BodyFrame>();
            Assert.Equal((ulong)i, body.Slot.Sequence.Value);
            Assert.Equal(publisher.Batches[i].Body.ToArray(), body.Body.ToArray());
        }
    }

    /// <summary>W7: waits until the first witness tells that the slot is stored.</summary>
    private static async Task StoredAsync(TestPublisher publisher, ulong slot)
    {
        while (await publisher.Calls[0].NextAsync<TipFrame>() is { } tip)
        {
            if (QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? certificate) && certificate.Batch.Sequence.Value >= slot)
            {
                return;
            }
        }
    }
}
