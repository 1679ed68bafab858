using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>Hands what the core decided to the calls that carry it. Runs on the core's thread: it posts and never waits.</summary>
internal sealed class Delivery(PublisherCalls publishers, PeerLinks peers, TopicSignals topics, CatchUp catchUp, StoredOffers offers, NodeLog log)
{
    public void Perform(WitnessEffects effects)
    {
        foreach (AckBundle bundle in effects.PeerAcks)
        {
            byte[] bytes = bundle.Encode();
            peers.Post(new AcksFrame(bytes), bytes.Length);
        }

        foreach ((Protocol.Membership.WitnessIndex peer, AckBundle bundle) in effects.PeerResends)
        {
            byte[] bytes = bundle.Encode();
            peers.Post(peer, new AcksFrame(bytes), bytes.Length);
        }

        foreach (PublisherAcks acks in effects.PublisherAcks)
        {
            Outbox<IPublishReply>[] calls = publishers.Of(acks.Publisher);
            if (calls.Length > 0)
            {
                byte[] bytes = acks.Bundle.Encode();
                Post(calls, new AcksFrame(bytes), bytes.Length);
            }
        }

        foreach (PublisherRefusal refusal in effects.Refusals)
        {
            Post(publishers.Of(refusal.Publisher), RefusalFrame.From(refusal.Refusal), FrameBytes.Of(refusal.Refusal));
        }

        foreach (StoredTip tip in effects.StoredTips)
        {
            OnStoredTip(tip);
        }

        foreach (PeerTip tip in effects.PeerTips)
        {
            peers.PostTip(tip.Peer, tip.Certificate);
        }

        foreach (StoredSlotOffer offer in effects.Offers)
        {
            offers.Post(offer);
        }

        foreach (FetchOrder order in effects.Fetches)
        {
            catchUp.Start(order);
        }

        foreach (VerifiedEvidence evidence in effects.Evidence)
        {
            log.Write($"evidence: {evidence}");
            byte[] bytes = evidence.Evidence.Encode();
            peers.Post(new EvidenceFrame(bytes), bytes.Length);
        }
    }

    private static void Post(Outbox<IPublishReply>[] calls, IPublishReply frame, int bytes)
    {
        foreach (Outbox<IPublishReply> call in calls)
        {
            call.Post(frame, bytes);
        }
    }

    private void OnStoredTip(StoredTip tip)
    {
        topics.Raise(tip.Header.Topic);
        ReadOnlyMemory<byte> bytes = tip.Certificate.Certificate.Bytes;
        foreach (Outbox<IPublishReply> call in publishers.Of(tip.Header.Publisher))
        {
            call.PostTip(tip.Header.Id, new TipFrame(bytes), bytes.Length);
        }
    }
}

/// <summary>What frames count for in an outbox. Unit: bytes.</summary>
internal static class FrameBytes
{
    private const int Overhead = 256;

    public static int Of(Refusal refusal) => Overhead + (refusal.Original?.Bytes.Length ?? 0) + (refusal.Certificate?.Bytes.Length ?? 0)
        + (2 * refusal.Text.Length) + refusal.Live.Sum(statement => Overhead + statement.Bytes.Length);

    public static int Of(StandingFrame frame) => Overhead + frame.Certificates.Sum(certificate => certificate.Length)
        + frame.Originals.Sum(statement => Overhead + statement.Bytes.Length);

    public static int Of(CertifiedFrame frame) => Overhead + frame.Certificate.Length + frame.Statements.Sum(statement => Overhead + statement.Bytes.Length);
}
