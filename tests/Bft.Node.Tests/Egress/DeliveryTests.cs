using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Tests.Support;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Sim;
using Bft.Storage.Tests;
using Bft.Wire.Frames;

namespace Bft.Node.Tests.Egress;

/// <summary>To whom goes what the core decided.</summary>
public sealed class DeliveryTests : IDisposable
{
    private readonly TestCluster _cluster = new();
    private readonly TestStream _stream;
    private readonly StoringWitness _witness;
    private readonly HandOverBook _handOvers = new();
    private readonly WitnessEffects _effects = new();
    private readonly Sent _sent = new();

    public DeliveryTests()
    {
        _stream = _cluster.Stream();
        _witness = new StoringWitness(_cluster, new SimulatedDisk());
        _witness.OnBatch(_stream.AppendMany(3));
        _witness.Certify(_cluster, _stream[1], from: 0);
    }

    public void Dispose()
    {
        _witness.Dispose();
        _cluster.Dispose();
    }

    [Fact]
    public void W8_new_acks_go_to_all_peers_and_what_is_told_again_to_the_one_that_lacks_it()
    {
        AckBundle bundle = _cluster.Bundle(0, new AckStatement(_stream[2].Reference, Sequence.Zero));
        _effects.PeerAcks.Add(bundle);
        _effects.PeerResends.Add((new WitnessIndex(2), bundle));
        _effects.PeerTips.Add(new PeerTip(new WitnessIndex(3), _stream[1].Reference));

        Perform();

        Assert.Equal([null, new WitnessIndex(2), new WitnessIndex(3)], _sent.Peers.Select(sent => sent.Peer));
        Assert.Equal(_stream[1].Reference, BatchOf(Assert.IsType<TipFrame>(_sent.Peers[^1].Frame)));
    }

    [Fact]
    public void W11_a_refusal_shows_the_originals_of_live_tips_before_those_above_them()
    {
        SignedStatement above = SignedStatement.From(_stream[2].Statement);
        Refusal refusal = new(new Slot(_cluster.Stream(incarnation: 2).Id, Sequence.Zero), RefusalReason.Full) { Live = [above] };
        _effects.Refusals.Add(new PublisherRefusal(_stream.Signer.PublicKey, refusal) { LiveTips = [_stream[1].Reference] });

        Perform();

        RefusalFrame told = Assert.IsType<RefusalFrame>(Assert.Single(_sent.Publishers));
        Assert.Equal([_stream[1].Digest, _stream[2].Digest], told.Live.Select(original => Sha256.Hash(original.Bytes.Span)));
    }

    [Fact]
    public void R5_what_is_fetched_is_asked_of_who_handed_it_over_too_and_that_one_hears_of_the_tip()
    {
        List<IPublishReply> replies = [];
        Assert.True(_handOvers.TryEnter(_stream[2].Reference, default, (reply, _) => replies.Add(reply)));
        FetchOrder order = new(_stream.Id, new Sequence(2), new WitnessIndex(1));
        _effects.Fetches.Add(order);
        Perform();
        Assert.Equal([new FetchFrame(_stream.Id, new Sequence(2), new Sequence(2), WithBodies: true)], replies);
        Assert.Equal([order], _sent.Fetches);

        _effects.Clear();
        _effects.StoredTips.Add(new StoredTip(_stream.Header, new Sequence(2), _cluster.Certify(_stream[2].Reference)));
        Perform();
        Assert.Equal(_stream[2].Reference, BatchOf(Assert.IsType<TipFrame>(replies[^1])));
        Assert.Equal([_stream.Header.Topic], _sent.Risen); // subscribers look again
        Assert.Equal(_stream[2].Reference, BatchOf(Assert.IsType<TipFrame>(Assert.Single(_sent.Publishers))));
    }

    private static BatchRef BatchOf(TipFrame tip) => QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? certificate) ? certificate.Batch : default;

    private void Perform() => Delivery.Perform(_effects, _sent, _handOvers, _witness.Store);

    /// <summary>What left.</summary>
    private sealed class Sent : IWitnessOutputs
    {
        public List<(WitnessIndex? Peer, IExchangeRequest Frame)> Peers { get; } = [];

        public List<IPublishReply> Publishers { get; } = [];

        public List<FetchOrder> Fetches { get; } = [];

        public List<Topic> Risen { get; } = [];

        public void ToPeer(WitnessIndex? peer, IExchangeRequest frame, int bytes) => Peers.Add((peer, frame));

        public void TipToPeer(WitnessIndex? peer, StreamId stream, TipFrame tip) => Peers.Add((peer, tip));

        public void ToPublisher(PublicKey publisher, IPublishReply frame, int bytes) => Publishers.Add(frame);

        public void TipToPublisher(PublicKey publisher, StreamId stream, TipFrame tip) => Publishers.Add(tip);

        public void TopicRose(Topic topic) => Risen.Add(topic);

        public void Fetch(FetchOrder order) => Fetches.Add(order);

        public void Abandon(FetchOrder order)
        {
        }

        public void Repair(RepairOrder order)
        {
        }

        public void Abandon(RepairOrder order)
        {
        }

        public void Answer(StoredSlotOffer offer)
        {
        }

        public void Log(string line)
        {
        }
    }
}
