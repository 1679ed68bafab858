using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What the core decided, as frames.</summary>
internal static class Delivery
{
    public static void Perform(WitnessEffects effects, IWitnessOutputs outputs, HandOverBook handOvers, BatchStore store)
    {
        foreach (PeerRecall recall in effects.Recalls)
        {
            byte[] bytes = recall.Bundle?.Encode() ?? [];
            outputs.ToPeer(recall.Peer, new RecallFrame(bytes, recall.Asks, recall.Answers), bytes.Length);
        }

        if (effects.HasLostMemory)
        {
            outputs.Log("MEMORY LOST: a signature of this key exists that the data directory does not know of. This witness serves what it has and never acks again under this key (W9).");
        }

        foreach (AckBundle bundle in effects.PeerAcks)
        {
            byte[] bytes = bundle.Encode();
            outputs.ToPeer(null, new AcksFrame(bytes), bytes.Length);
        }

        foreach ((WitnessIndex? peer, AckBundle bundle) in effects.PeerResends)
        {
            byte[] bytes = bundle.Encode();
            outputs.ToPeer(peer, new AcksFrame(bytes), bytes.Length);
        }

        foreach (PublisherAcks acks in effects.PublisherAcks)
        {
            byte[] bytes = acks.Bundle.Encode();
            outputs.ToPublisher(acks.Publisher, new AcksFrame(bytes), bytes.Length);
        }

        foreach (PublisherRefusal refusal in effects.Refusals)
        {
            Refusal whole = refusal.LiveTips.Count == 0 ? refusal.Refusal : refusal.Refusal with { Live = [.. Originals(refusal.LiveTips, store), .. refusal.Refusal.Live] };
            outputs.ToPublisher(refusal.Publisher, RefusalFrame.From(whole), FrameBytes.Of(whole));
        }

        foreach (StoredTip tip in effects.StoredTips)
        {
            outputs.TopicRose(tip.Header.Topic);
            TipFrame frame = new(tip.Certificate.Certificate.Bytes);
            outputs.TipToPublisher(tip.Header.Publisher, tip.Header.Id, frame);
            handOvers.OnTip(tip.Certificate.Batch, frame);
        }

        foreach (PeerTip tip in effects.PeerTips)
        {
            // One that cannot be read is repaired, and told again while the peers' digests differ.
            if (store.TryFind(tip.Tip.Stream, out StreamLog? log) && log.TryReadTip(out VerifiedCertificate? certificate))
            {
                outputs.TipToPeer(tip.Peer, tip.Tip.Stream, new TipFrame(certificate.Certificate.Bytes));
            }
        }

        foreach (StoredSlotOffer offer in effects.Offers)
        {
            outputs.Answer(offer);
        }

        foreach (FetchOrder order in effects.Abandoned)
        {
            outputs.Abandon(order);
        }

        foreach (FetchOrder order in effects.Fetches)
        {
            outputs.Fetch(order);

            // R5: the publisher may be gone and no peer have it: then whoever handed the certificate over is the only source.
            handOvers.Ask(order.Stream, order.From);
        }

        if (effects.PeerHeartbeat is { } heartbeat)
        {
            outputs.ToPeer(null, new HeartbeatFrame(heartbeat.Tips, heartbeat.Offenders), 2 * Digest.Length);
        }

        foreach ((WitnessIndex peer, VerifiedEvidence evidence) in effects.PeerEvidence)
        {
            byte[] bytes = evidence.Evidence.Encode();
            outputs.ToPeer(peer, new EvidenceFrame(bytes), bytes.Length);
        }

        foreach (VerifiedEvidence evidence in effects.Evidence)
        {
            outputs.Log($"evidence: {evidence}");
            byte[] bytes = evidence.Evidence.Encode();
            outputs.ToPeer(null, new EvidenceFrame(bytes), bytes.Length);
        }
    }

    private static IEnumerable<SignedStatement> Originals(IEnumerable<BatchRef> tips, BatchStore store) =>
        tips.Select(tip => store.TryFind(tip.Stream, out StreamLog? log) ? log.TipStatement() : null).OfType<SignedStatement>();
}
