using Bft.Protocol.Verification;

namespace Bft.Cli.Proofs;

/// <summary>Why something is not what it claims to be, in words.</summary>
internal static class Reasons
{
    public static string Sentence(RejectReason reason) => reason switch
    {
        RejectReason.Malformed => "its bytes do not have the layout: it was damaged, or it is something else",
        RejectReason.OtherCluster => "it belongs to another cluster",
        RejectReason.OtherEpoch => "it belongs to another epoch of the cluster",
        RejectReason.UnknownWitness => "it names a witness that the cluster does not have",
        RejectReason.BadSignature => "a signature does not verify: something was changed, or another signed",
        RejectReason.BadKey => "the publisher's key is no acceptable one",
        RejectReason.OverLimit => "it exceeds a limit of the cluster",
        RejectReason.OtherBody => "the messages are not the ones that the publisher signed",
        RejectReason.BadTable => "the batch's table does not fit its messages",
        RejectReason.BadBase => "an ack reaches too far",
        RejectReason.BadPath => "the messages do not lead to the signed root: they are others",
        RejectReason.DuplicateWitness => "a witness stands in the certificate twice",
        RejectReason.UnderQuorum => "fewer witnesses than a quorum signed",
        RejectReason.OtherDigest => "the batch is another one than the certificate names",
        RejectReason.NoConflict => "the two statements do not contradict each other",
        RejectReason.OtherParty => "it was meant for another party",
        RejectReason.OtherSlot => "the certificate does not cover these messages",
        RejectReason.OtherTopic => "it belongs to another topic",
        _ => $"it was rejected ({reason})",
    };
}
