using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What leaves a witness's core. Nothing here waits, and nothing here may be called before what it reveals is durable (W1).</summary>
internal interface IWitnessOutputs
{
    /// <param name="peer">Null for all that are connected.</param>
    /// <param name="frame">What to send.</param>
    /// <param name="bytes">What it counts for in an outbox.</param>
    void ToPeer(WitnessIndex? peer, IExchangeRequest frame, int bytes);

    /// <summary>W8: a stored tip; only the last one of a stream matters to a peer that is late.</summary>
    void TipToPeer(WitnessIndex? peer, StreamId stream, TipFrame tip);

    /// <summary>To every open call of a publisher.</summary>
    void ToPublisher(PublicKey publisher, IPublishReply frame, int bytes);

    /// <summary>A stored tip of one of the publisher's streams; only the last one matters.</summary>
    void TipToPublisher(PublicKey publisher, StreamId stream, TipFrame tip);

    /// <summary>A stored tip in the topic rose: subscriptions have news.</summary>
    void TopicRose(Topic topic);

    /// <summary>Fetch from a peer; <see cref="FetchEndedInput"/> ends it, however it went.</summary>
    void Fetch(FetchOrder order);

    /// <summary>W8: the fetch brings too little and is asked of another peer; end it.</summary>
    void Abandon(FetchOrder order);

    /// <summary>Fetch what is damaged from a peer; <see cref="RepairEndedInput"/> ends it, however it went. One at a time.</summary>
    void Repair(RepairOrder order);

    /// <summary>The repair brings nothing; end it.</summary>
    void Abandon(RepairOrder order);

    /// <summary>Answer a batch for a stored slot, as <see cref="StoredAnswers"/> says.</summary>
    void Answer(StoredSlotOffer offer);

    void Log(string line);
}
