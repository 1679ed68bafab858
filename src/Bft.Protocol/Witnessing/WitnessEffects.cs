using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>Acks for the publisher of some streams.</summary>
public sealed record PublisherAcks(PublicKey Publisher, AckBundle Bundle);

/// <summary>A refusal for the publisher that signed the batch.</summary>
/// <param name="Publisher">Who.</param>
/// <param name="Refusal">What it is told.</param>
public sealed record PublisherRefusal(PublicKey Publisher, Refusal Refusal)
{
    /// <summary>W11: stored tips of live incarnations, whose originals the host reads and shows too, before the others. <value>Default: none.</value></summary>
    public IReadOnlyList<BatchRef> LiveTips { get; init; } = [];
}

/// <summary>The stored tip of a stream rose: bodies and certificates up to it are durable here.</summary>
/// <param name="Header">The stream.</param>
/// <param name="From">The lowest slot that is new.</param>
/// <param name="Certificate">The new tip's.</param>
public sealed record StoredTip(StreamHeader Header, Sequence From, VerifiedCertificate Certificate);

/// <summary>A publisher sent a batch for a slot at or below the stored tip. The host reads that slot's statement and certificate and either answers with them (W2) or, when the digests differ, calls <c>OnStoredConflict</c> (W3).</summary>
public sealed record StoredSlotOffer(VerifiedStatement Offered);

/// <summary>Ask a peer for the certified batches of a stream from a slot on; or (W6) for one batch that it acked, certified or not.</summary>
/// <param name="Stream">Which stream.</param>
/// <param name="From">The first slot.</param>
/// <param name="Peer">Whom to ask.</param>
/// <param name="Batch">The digest of the one batch wanted; null for all that is certified.</param>
/// <param name="Id">Tells it from others of this run.</param>
public sealed record FetchOrder(StreamId Stream, Sequence From, WitnessIndex Peer, Digest? Batch = null, int Id = 0)
{
    /// <summary>S3: bodies below it are not wanted: an order from a lower slot is one for certificates and statements alone.</summary>
    public Sequence BodiesFrom { get; init; }

    /// <summary>S3: certificates and statements alone.</summary>
    public bool IsWithoutBodies => From < BodiesFrom;
}

/// <summary>A stored tip for one peer, or (null) for all; the host reads its certificate.</summary>
public sealed record PeerTip(WitnessIndex? Peer, BatchRef Tip);

/// <summary>C2: a certificate leads down to another batch than the one in the slot of the stored tip. The host reads the tip's certificate and calls <c>OnTipFork</c>.</summary>
/// <param name="Tip">The stored tip.</param>
/// <param name="Other">The certificate.</param>
/// <param name="Chain">Its statements, from its own down to the one above the tip's slot.</param>
public sealed record TipFork(BatchRef Tip, VerifiedCertificate Other, IReadOnlyList<VerifiedStatement> Chain);

/// <summary>W9: for a peer, what I hold of it.</summary>
/// <param name="Peer">Whom it is for and about.</param>
/// <param name="Bundle">Its root with the highest mark that I verified; null when there is none.</param>
/// <param name="Asks">My run, while I ask for the like.</param>
/// <param name="Answers">The peer's run in which it asked.</param>
public sealed record PeerRecall(WitnessIndex Peer, AckBundle? Bundle, Run? Asks, Run? Answers);

/// <summary>W8: digests over all stored tips, and over the keys that there is evidence about.</summary>
public sealed record PeerHeartbeat(Digest Tips, Digest Offenders);

/// <summary>What inputs made a witness decide. The host owns it, performs it and clears it.</summary>
/// <remarks>
/// Contract: append <see cref="Records"/> to the journal in order, before anything else here is performed; seal them as one group commit,
/// tell the role (<c>OnSealed</c>), flush, tell it again (<c>OnDurable</c>). Acks, refusals that reveal an ack, and stored tips come out only after the
/// <c>OnDurable</c> of their records: what is in those lists may leave at once. A witness that forgot an ack it had sent would be Byzantine.
/// </remarks>
public sealed class WitnessEffects
{
    /// <summary>To be made durable, in order.</summary>
    public List<WitnessRecord> Records { get; } = [];

    /// <summary>W7: for every connected peer.</summary>
    public List<AckBundle> PeerAcks { get; } = [];

    /// <summary>W9: the first thing that a peer is told.</summary>
    public List<PeerRecall> Recalls { get; } = [];

    /// <summary>W9: memory turned out to be lost, just now. Say so loudly; nothing is acked any more.</summary>
    public bool HasLostMemory { get; set; }

    /// <summary>W8: again, for one peer that has just connected, or (null) for all.</summary>
    public List<(WitnessIndex? Peer, AckBundle Bundle)> PeerResends { get; } = [];

    /// <summary>W8: for all peers.</summary>
    public PeerHeartbeat? PeerHeartbeat { get; set; }

    /// <summary>W8: evidence again, for one peer that lacks some.</summary>
    public List<(WitnessIndex Peer, VerifiedEvidence Evidence)> PeerEvidence { get; } = [];

    public List<PublisherAcks> PublisherAcks { get; } = [];

    public List<PublisherRefusal> Refusals { get; } = [];

    /// <summary>In the order in which subscribers may see them.</summary>
    public List<StoredTip> StoredTips { get; } = [];

    public List<StoredSlotOffer> Offers { get; } = [];

    public List<FetchOrder> Fetches { get; } = [];

    /// <summary>W8: fetches that bring too little; another peer is asked.</summary>
    public List<FetchOrder> Abandoned { get; } = [];

    /// <summary>W8: tips for peers; a null peer means all that are connected.</summary>
    public List<PeerTip> PeerTips { get; } = [];

    /// <summary>C2: forks to be looked at with what is stored.</summary>
    public List<TipFork> TipForks { get; } = [];

    /// <summary>New evidence, each offender once in a stream.</summary>
    public List<VerifiedEvidence> Evidence { get; } = [];

    public List<IgnoreReason> Ignored { get; } = [];

    public void Clear()
    {
        Records.Clear();
        Recalls.Clear();
        HasLostMemory = false;
        PeerAcks.Clear();
        PeerResends.Clear();
        PeerHeartbeat = null;
        PeerEvidence.Clear();
        PublisherAcks.Clear();
        Refusals.Clear();
        StoredTips.Clear();
        Offers.Clear();
        Fetches.Clear();
        Abandoned.Clear();
        PeerTips.Clear();
        TipForks.Clear();
        Evidence.Clear();
        Ignored.Clear();
    }
}
