using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>Acks for the publisher of some streams.</summary>
public sealed record PublisherAcks(PublicKey Publisher, AckBundle Bundle);

/// <summary>A refusal for the publisher that signed the batch.</summary>
public sealed record PublisherRefusal(PublicKey Publisher, Refusal Refusal);

/// <summary>The stored tip of a stream rose: bodies and certificates up to it are durable here.</summary>
/// <param name="Header">The stream.</param>
/// <param name="From">The lowest slot that is new.</param>
/// <param name="Certificate">The new tip's.</param>
public sealed record StoredTip(StreamHeader Header, Sequence From, VerifiedCertificate Certificate);

/// <summary>A publisher sent a batch for a slot at or below the stored tip. The host reads that slot's statement and certificate and either answers with them (W2) or, when the digests differ, calls <c>OnStoredConflict</c> (W3).</summary>
public sealed record StoredSlotOffer(VerifiedStatement Offered);

/// <summary>Ask a peer for the certified batches of a stream from a slot on.</summary>
public sealed record FetchOrder(StreamId Stream, Sequence From, WitnessIndex Peer)
{
    /// <summary>S3: bodies below it are not wanted: an order from a lower slot is one for certificates and statements alone.</summary>
    public Sequence BodiesFrom { get; init; }

    /// <summary>S3: certificates and statements alone.</summary>
    public bool IsWithoutBodies => From < BodiesFrom;
}

/// <summary>Something for one peer.</summary>
public sealed record PeerTip(WitnessIndex? Peer, VerifiedCertificate Certificate);

/// <summary>What inputs made a witness decide. The host owns it, performs it and clears it.</summary>
/// <remarks>
/// Contract: append <see cref="Records"/> to the journal in order, before anything else here is performed; seal them as one group commit,
/// tell the role (<c>OnSealed</c>), flush, tell it again (<c>OnDurable</c>). Acks, refusals that reveal an ack, and stored tips come out of
/// <c>OnDurable</c> only: what is in those lists may leave at once. A witness that forgot an ack it had sent would be Byzantine.
/// </remarks>
public sealed class WitnessEffects
{
    /// <summary>To be made durable, in order.</summary>
    public List<WitnessRecord> Records { get; } = [];

    /// <summary>W7: for every connected peer.</summary>
    public List<AckBundle> PeerAcks { get; } = [];

    /// <summary>For one peer that has just connected, or asked again.</summary>
    public List<(WitnessIndex Peer, AckBundle Bundle)> PeerResends { get; } = [];

    public List<PublisherAcks> PublisherAcks { get; } = [];

    public List<PublisherRefusal> Refusals { get; } = [];

    /// <summary>In the order in which subscribers may see them.</summary>
    public List<StoredTip> StoredTips { get; } = [];

    public List<StoredSlotOffer> Offers { get; } = [];

    public List<FetchOrder> Fetches { get; } = [];

    /// <summary>W8: tips for peers; a null peer means all that are connected.</summary>
    public List<PeerTip> PeerTips { get; } = [];

    /// <summary>New evidence, each offender once in a stream.</summary>
    public List<VerifiedEvidence> Evidence { get; } = [];

    public List<IgnoreReason> Ignored { get; } = [];

    public void Clear()
    {
        Records.Clear();
        PeerAcks.Clear();
        PeerResends.Clear();
        PublisherAcks.Clear();
        Refusals.Clear();
        StoredTips.Clear();
        Offers.Clear();
        Fetches.Clear();
        PeerTips.Clear();
        Evidence.Clear();
        Ignored.Clear();
    }
}
