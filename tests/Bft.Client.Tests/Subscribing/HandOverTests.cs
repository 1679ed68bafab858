using Bft.Client.Tests.Support;
using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Client.Tests.Subscribing;

/// <summary>The case to remember: a publisher and a witness that collude show a certificate to one receiver only, and are never heard of again.</summary>
public sealed class HandOverTests
{
    private static readonly WitnessIndex Liar = new(3);

    [Fact]
    public async Task R5_a_certificate_that_only_one_receiver_saw_is_handed_to_those_who_acked()
    {
        await using LocalCluster cluster = await OfTwoAsync();
        (SignedBatch batch, QuorumCertificate certificate) = await CertifyInSecretAsync(cluster);
        await using ByzantineWitness liar = await ServeAsync(cluster, batch, certificate);
        await using BftClient client = cluster.Connect(cluster.Reader);

        await using Subscription subscription = await client.SubscribeAsync(new Topic("orders"), new SubscriptionOptions { FirstServing = Liar });

        Assert.Single(await subscription.ReadAsync(1));
        await AssertServesAsync(cluster, 0, certificate.Batch);
    }

    [Fact]
    public async Task R5_a_receiver_that_is_the_only_source_hands_over_statements_and_bodies_too()
    {
        await using LocalCluster cluster = await OfTwoAsync();
        (SignedBatch batch, QuorumCertificate certificate) = await CertifyInSecretAsync(cluster);
        await cluster.StopAsync(0);
        await cluster.StopAsync(1);
        await cluster.StartAsync(2);
        await using ByzantineWitness liar = await ServeAsync(cluster, batch, certificate);
        await using BftClient client = cluster.Connect(cluster.Reader);

        await using Subscription subscription = await client.SubscribeAsync(new Topic("orders"), new SubscriptionOptions { FirstServing = Liar });

        Assert.Single(await subscription.ReadAsync(1));
        await AssertServesAsync(cluster, 2, certificate.Batch);
    }

    /// <summary>Only 0 and 1 run, and they ack: they have asked enough peers (W9) before the others stopped.</summary>
    private static async Task<LocalCluster> OfTwoAsync()
    {
        LocalCluster cluster = await LocalCluster.StartedAsync();
        await cluster.StopAsync(2);
        await cluster.StopAsync(Liar.Value);
        return cluster;
    }

    /// <summary>Two correct witnesses ack, the third ack is the liar's own: a quorum that nobody but the two colluders knows of.</summary>
    private static async Task<(SignedBatch Batch, QuorumCertificate Certificate)> CertifyInSecretAsync(LocalCluster cluster)
    {
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1);
        SignedBatch batch = publisher.Append();
        await publisher.SendAsync(batch);
        Committee committee = cluster.Committee;
        AckVerifier verifier = new(committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax);
        List<CertificateEntry> entries = [];
        BatchRef reference = default;
        foreach (TestCall<IPublishRequest, IPublishReply> call in publisher.Calls)
        {
            AcksFrame frame = await call.NextAsync<AcksFrame>();
            Assert.True(AckBundle.TryParse(committee.Cluster, frame.Bundle.Span, out AckBundle? bundle));
            Assert.True(verifier.TryVerify(bundle, out VerifiedAck[]? acks, out _));
            entries.Add(CertificateEntry.From(acks[0]));
            reference = acks[0].Batch;
        }

        AckStatement leaf = new(reference, reference.Sequence);
        MerkleTree tree = new([leaf.LeafHash(committee.Cluster, committee.Epoch)]);
        AckRootStatement root = new(committee.Cluster, committee.Epoch, Liar, new Run(1), new Mark(1), 1, tree.Root);
        AckBundle own = new(root, root.Sign(cluster.WitnessSigner(Liar.Value)), [new AckLeaf(leaf, 0, tree.PathOf(0))]);
        Assert.True(verifier.TryVerify(own, out VerifiedAck[]? ownAcks, out _));
        entries.Add(CertificateEntry.From(ownAcks[0]));
        return (batch, new QuorumCertificate(reference, committee.Epoch, entries));
    }

    private static Task<ByzantineWitness> ServeAsync(LocalCluster cluster, SignedBatch batch, QuorumCertificate certificate) => ByzantineWitness.StartAsync(
        cluster,
        Liar.Value,
        new CertifiedFrame(certificate.Bytes, [new SignedStatement(batch.Statement, batch.Signature)]),
        new BodyFrame(certificate.Batch.Slot, batch.Body),
        new TipFrame(certificate.Bytes));

    private static async Task AssertServesAsync(LocalCluster cluster, int witness, BatchRef batch)
    {
        using TestConnection connection = new(cluster, witness);
        using TestCall<IFetchRequest, IFetchReply> call = await connection.FetchAsync(cluster.Reader);
        await call.WriteAsync(new FetchFrame(batch.Stream, batch.Sequence, batch.Sequence, WithBodies: true));
        CertifiedFrame served = await call.NextAsync<CertifiedFrame>();
        Assert.True(QuorumCertificate.TryParse(served.Certificate.Span, out QuorumCertificate? certificate));
        Assert.Equal(batch, certificate.Batch);
        Assert.Equal(batch.Slot, (await call.NextAsync<BodyFrame>()).Slot);
    }
}
