using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node.Tests.Ingress;

public sealed class HandOverTests
{
    private readonly HandOverBook _book = new();
    private readonly List<IPublishReply> _replies = [];
    private readonly PublicKey _client = Key(1);

    [Fact]
    public void R5_who_handed_over_is_asked_for_what_is_missing_up_to_what_it_has()
    {
        BatchRef batch = Batch(1, 5);
        Assert.True(_book.TryEnter(batch, _client, Reply));
        Assert.True(_book.TryEnter(batch with { Sequence = new Sequence(3) }, _client, Reply));

        _book.Ask(batch.Stream, new Sequence(2));
        _book.Ask(batch.Stream, new Sequence(6));
        _book.Ask(Batch(2, 5).Stream, Sequence.Zero);

        Assert.Equal([new FetchFrame(batch.Stream, new Sequence(2), new Sequence(5), WithBodies: true)], _replies);
    }

    [Fact]
    public void R5_who_handed_over_hears_of_the_tip_until_it_is_high_enough()
    {
        BatchRef batch = Batch(1, 5);
        TipFrame tip = new(new byte[] { 1 });
        _book.TryEnter(batch, _client, Reply);

        _book.OnTip(batch with { Sequence = new Sequence(4) }, tip);
        _book.OnTip(batch, tip);
        _book.OnTip(batch, tip);

        Assert.Equal([tip, tip], _replies);
    }

    [Fact]
    public void R5_a_client_has_a_bounded_number_of_hand_overs_pending()
    {
        for (int i = 0; i < HandOverBook.StreamsPerClientMax; i++)
        {
            Assert.True(_book.TryEnter(Batch(i, 0), _client, Reply));
        }

        Assert.False(_book.TryEnter(Batch(1000, 0), _client, Reply));
        Assert.True(_book.TryEnter(Batch(7, 9), _client, Reply));
        Assert.True(_book.TryEnter(Batch(1000, 0), Key(2), (_, _) => { }));

        _book.OnTip(Batch(3, 0), new TipFrame(default));
        Assert.True(_book.TryEnter(Batch(1000, 0), _client, Reply));
        _book.Leave(Reply);
        Assert.True(_book.TryEnter(Batch(1001, 0), _client, Reply));
    }

    [Fact]
    public async Task R5_a_hand_over_at_or_below_the_tip_is_answered_with_it_and_not_looked_at()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3);
        await publisher.PublishManyAsync(2);
        using TestConnection connection = new(cluster, 1);
        using TestCall<ISubscribeRequest, ISubscribeReply> watching = await connection.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: false));
        TipFrame tip = await watching.NextAsync<TipFrame>();
        byte[] unsigned = tip.Certificate.ToArray();
        unsigned[^2] ^= 1; // of a signature: the path behind it is empty
        using TestCall<IPublishRequest, IPublishReply> call = await connection.PublishAsync(cluster.Reader);

        await call.WriteAsync(new CertifiedFrame(unsigned, []));

        Assert.NotEqual(0, (await call.NextAsync<TipFrame>()).Certificate.Length);
    }

    [Fact]
    public async Task C2_a_certificate_of_another_batch_than_the_stored_one_that_a_reader_hands_over_convicts_its_witnesses()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3);
        using TestConnection connection = new(cluster, 1);
        BatchRef other = await OtherThanStoredAsync(cluster, publisher, connection);
        using TestCall<IPublishRequest, IPublishReply> call = await connection.PublishAsync(cluster.Reader);

        await call.WriteAsync(new CertifiedFrame(Certify(cluster, other, 0, 2, 3), []));

        await cluster[1].WhenLogged("evidence");
        Assert.InRange((await connection.StatusAsync(cluster.Reader)).EvidenceCount, 2, 3); // those in both certificates
    }

    [Fact]
    public async Task C2_a_certificate_against_the_stored_one_that_does_not_hold_ends_the_call_and_convicts_nobody()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = await new TestPublisher(cluster).ConnectAsync(0, 1, 2, 3);
        using TestConnection connection = new(cluster, 1);
        BatchRef other = await OtherThanStoredAsync(cluster, publisher, connection);
        byte[] unsigned = Certify(cluster, other, 0, 2, 3);
        unsigned[^2] ^= 1; // of a signature: the path behind it is empty
        using TestCall<IPublishRequest, IPublishReply> call = await connection.PublishAsync(cluster.Reader);

        await call.WriteAsync(new CertifiedFrame(unsigned, []));

        await Assert.ThrowsAnyAsync<RpcException>(call.NextAsync);
        Assert.Equal(0, (await connection.StatusAsync(cluster.Reader)).EvidenceCount);
    }

    [Fact]
    public async Task R5_who_passes_on_a_statement_with_a_wrong_signature_loses_neither_its_call_nor_its_name_and_the_certificate_counts()
    {
        await using LocalCluster cluster = await LocalCluster.StartedAsync();
        using TestPublisher publisher = new(cluster);
        SignedBatch batch = publisher.Append("covered");
        Assert.True(BatchStatement.TryParse(cluster.Committee.Cluster, batch.Statement.Span, out BatchStatement? statement, out _));
        SignedStatement spoilt = new(batch.Statement, new Signature(System.Security.Cryptography.RandomNumberGenerator.GetBytes(Signature.Length)));
        CertifiedFrame handedOver = new(Certify(cluster, statement.Reference, 0, 2, 3), [spoilt]);
        using TestConnection connection = new(cluster, 1);
        using TestCall<IPublishRequest, IPublishReply> call = await connection.PublishAsync(cluster.Reader);

        for (int i = 0; i < 30; i++)
        {
            await call.WriteAsync(handedOver);
        }

        // W5: it asks for what the certificate covers, on the call that brought it too.
        FetchFrame asked = await call.NextAsync<FetchFrame>();
        Assert.Equal(statement.Header.Id, asked.Stream);
        await connection.StatusAsync(cluster.Reader); // opens a session
    }

    /// <summary>Publishes a batch, waits until the witness stores it, and names another one in its slot.</summary>
    private static async Task<BatchRef> OtherThanStoredAsync(LocalCluster cluster, TestPublisher publisher, TestConnection connection)
    {
        await publisher.PublishAsync("shown to some");
        using TestCall<ISubscribeRequest, ISubscribeReply> watching = await connection.SubscribeAsync(
            cluster.Reader, new StartFrame(new Topic("orders"), StartPosition.Earliest, [], WithBodies: false));
        await watching.NextAsync<TipFrame>();
        Assert.True(BatchStatement.TryParse(cluster.Committee.Cluster, publisher.Sign(0, Ancestor.None, "shown to others").Statement.Span, out BatchStatement? other, out _));
        return other.Reference;
    }

    private static byte[] Certify(LocalCluster cluster, BatchRef batch, params int[] witnesses)
    {
        AckStatement ack = new(batch, batch.Sequence);
        MerkleTree tree = new([ack.LeafHash(cluster.Committee.Cluster, cluster.Committee.Epoch)]);
        return new QuorumCertificate(batch, cluster.Committee.Epoch, [.. witnesses.Select(Entry)]).Bytes.ToArray();

        CertificateEntry Entry(int witness)
        {
            AckRootStatement root = new(cluster.Committee.Cluster, cluster.Committee.Epoch, new WitnessIndex(witness), new Run(1), new Mark(1), 1, tree.Root);
            AckBundle bundle = new(root, root.Sign(cluster.WitnessSigner(witness)), [new AckLeaf(ack, 0, tree.PathOf(0))]);
            Assert.True(new AckVerifier(cluster.Committee, Ed25519.Instance, 1).TryVerify(bundle, out VerifiedAck[]? acks, out _));
            return CertificateEntry.From(acks[0]);
        }
    }

    private static PublicKey Key(byte number)
    {
        byte[] seed = new byte[Ed25519Signer.SeedLength];
        seed[0] = number;
        using Ed25519Signer signer = new(seed);
        return signer.PublicKey;
    }

    private static BatchRef Batch(int stream, ulong sequence)
    {
        Digest digest = Sha256.Hash(BitConverter.GetBytes(stream));
        return new BatchRef(new StreamId(digest), new Sequence(sequence), digest);
    }

    private void Reply(IPublishReply frame, int bytes) => _replies.Add(frame);
}
