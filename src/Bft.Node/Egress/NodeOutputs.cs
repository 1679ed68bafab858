using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>Hands what leaves the core to the calls that carry it. Runs on the core's thread: it posts and never waits.</summary>
internal sealed class NodeOutputs(PublisherCalls publishers, PeerLinks peers, TopicSignals topics, CatchUp catchUp, RepairFetches repairs, StoredOffers offers, NodeLog log) : IWitnessOutputs
{
    public void ToPeer(WitnessIndex? peer, IExchangeRequest frame, int bytes) => peers.Post(peer, frame, bytes);

    public void TipToPeer(WitnessIndex? peer, StreamId stream, TipFrame tip) => peers.PostTip(peer, stream, tip);

    public void ToPublisher(PublicKey publisher, IPublishReply frame, int bytes) => publishers.Post(publisher, frame, bytes);

    public void TipToPublisher(PublicKey publisher, StreamId stream, TipFrame tip)
    {
        foreach (Outbox<IPublishReply> call in publishers.Of(publisher))
        {
            call.PostTip(stream, tip, tip.Certificate.Length);
        }
    }

    public void TopicRose(Topic topic) => topics.Raise(topic);

    public void Fetch(FetchOrder order) => catchUp.Start(order);

    public void Abandon(FetchOrder order) => catchUp.Abandon(order);

    public void Repair(RepairOrder order) => repairs.Start(order);

    public void Abandon(RepairOrder order) => repairs.Abandon();

    public void Answer(StoredSlotOffer offer) => offers.Post(offer);

    public void Log(string line) => log.Write(line);
}
