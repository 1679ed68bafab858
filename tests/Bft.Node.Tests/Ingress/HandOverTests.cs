using Bft.Crypto;
using Bft.Node.Tests.Support;
using Bft.Protocol.Model;
using Bft.Wire.Frames;

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
