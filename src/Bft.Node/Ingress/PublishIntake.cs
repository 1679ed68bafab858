using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a publisher sends: cheap checks, then policy, then the signature, then the body's hash; what passes goes to the core.</summary>
/// <param name="cluster">Its policies.</param>
/// <param name="store">Says what is known already.</param>
/// <param name="batches">Of this cluster.</param>
/// <param name="scheme">Checks certificates.</param>
/// <param name="client">Who opened the call.</param>
/// <param name="handOvers">Who handed what over.</param>
/// <param name="reply">Sends an answer on this call, later; with what it counts for. Unit: bytes.</param>
internal sealed class PublishIntake(
    ClusterFile cluster, BatchStore store, BatchVerifier batches, ISignatureScheme scheme, PublicKey client, HandOverBook handOvers, Action<IPublishReply, int> reply)
{
    /// <summary>Most bytes of a publisher's own bodies in one answer, or one batch.</summary>
    public const int OwnBodiesBytes = 512 * 1024;

    private readonly Dictionary<Slot, VerifiedStatement> _covered = []; // bound: the statements of one frame
    private readonly RangeVerifier _ranges = new(new AckVerifier(cluster.Committee, scheme, NodeLimits.Default.RememberedRootsMax), batches);

    public Intake Take(IPublishRequest frame) => frame switch
    {
        BatchFrame batch => OnBatch(batch.Batch),
        CertifiedFrame certified => OnCertified(certified),
        InquiryFrame inquiry => Intake.Of(new InquiryInput(inquiry.Topic, client, reply)),
        FetchFrame fetch => Intake.Of(new OwnBodiesInput(fetch, client, OwnBodiesBytes, reply)),
        MalformedFrame malformed => Intake.Faulty($"A message could not be read: {malformed.Reason}."),
        _ => default,
    };

    /// <summary>The call is over.</summary>
    public void OnClosed() => handOvers.Leave(reply);

    private Intake OnBatch(SignedBatch signed)
    {
        if (!BatchStatement.TryParse(cluster.Committee.Cluster, signed.Statement.Span, out BatchStatement? statement, out RejectReason reason))
        {
            return Intake.Faulty($"A batch statement could not be read: {reason}.");
        }

        if (_covered.Remove(statement.Reference.Slot, out VerifiedStatement? covered) && covered.Digest == statement.Reference.Digest)
        {
            // R5, W5: a certificate beats policy, and the caller showed it.
            return batches.TryVerifyBody(covered, signed.Body, signed.BodyOwner, out VerifiedBatch? whole, out reason)
                ? Intake.Of(new BatchInput(whole))
                : Intake.Faulty($"A body that was handed over does not hold: {reason}.");
        }

        if (WhyRefused(statement) is { } refusal)
        {
            return Refuse(signed, refusal);
        }

        return batches.TryVerify(signed, out VerifiedBatch? batch, out reason)
            ? Intake.Of(new BatchInput(batch))
            : Refuse(
                signed,
                new Refusal(statement.Reference.Slot, ReasonOf(reason), Text: $"the batch was not taken: {reason}"),
                reason == RejectReason.BadSignature ? "batches under its key that it did not sign" : null);
    }

    private Refusal? WhyRefused(BatchStatement statement)
    {
        StreamHeader header = statement.Header;
        Slot slot = statement.Reference.Slot;
        return !cluster.HasPolicyFor(header.Topic) ? new Refusal(
                slot, RefusalReason.UnknownTopic, Text: $"no policy in cluster.yaml covers the topic '{header.Topic}'; add one under topics, or publish to another")
            : header.Publisher != client ? new Refusal(slot, RefusalReason.NotAllowed, Text: "a call carries the batches of the key that opened it, and no others")
            : !cluster.MayPublish(header.Topic, header.Publisher) ? new Refusal(
                slot, RefusalReason.NotAllowed, Text: $"the policy of the topic '{header.Topic}' does not let {cluster.ClientOf(client)?.Name ?? "this key"} publish")
            : null;
    }

    /// <summary>P5: a hand-over; or a link's target.</summary>
    private Intake OnCertified(CertifiedFrame frame)
    {
        if (!QuorumCertificate.TryParse(frame.Certificate.Span, out QuorumCertificate? parsed))
        {
            return Intake.Faulty("A certificate could not be read.");
        }

        // R5, W5: at or below the tip it says nothing new, and signatures cost; unless it names another batch (C2).
        bool isOwn = store.TryFind(parsed.Batch.Stream, out StreamLog? log) && log.Header.Publisher == client;
        if (store.IsStored(parsed.Batch.Slot))
        {
            return StoredForks.Find(store, _ranges, parsed, out RejectReason doubt) is { } fork ? Intake.Of(fork)
                : doubt != RejectReason.None ? Intake.Faulty($"A certificate does not hold: {doubt}.")
                : isOwn || log is null || !log.TryReadTip(out VerifiedCertificate? tip) ? default // a publisher hears of its tips anyway
                : Intake.Answer(new TipFrame(tip.Certificate.Bytes), FrameBytes.Overhead + tip.Certificate.Bytes.Length);
        }

        if (!isOwn && !handOvers.TryEnter(parsed.Batch, client, reply))
        {
            return default;
        }

        if (!_ranges.TryVerify(frame, out VerifiedCertificate? certificate, out VerifiedStatement[] statements, out RejectReason reason))
        {
            // S1: a receiver looks at no signature but the certificate's, and passes on what it was given. The certificate counts (W5), and others have the originals.
            return certificate is not null && reason == RejectReason.BadSignature ? Intake.Of(new CertificateInput(certificate, []))
                : Intake.Faulty($"A certificate or its statements do not hold: {reason}.");
        }

        _covered.Clear();
        foreach (VerifiedStatement statement in isOwn ? [] : statements)
        {
            _covered.Add(statement.Reference.Slot, statement);
        }

        return Intake.Of(new CertificateInput(certificate, statements));
    }

    private static Intake Refuse(SignedBatch signed, Refusal refusal, string? offence = null)
    {
        signed.BodyOwner?.Dispose();
        return Intake.Answer(RefusalFrame.From(refusal), FrameBytes.Of(refusal), offence: offence);
    }

    private static RefusalReason ReasonOf(RejectReason reason) => reason switch
    {
        RejectReason.BadSignature or RejectReason.BadKey => RefusalReason.BadSignature,
        RejectReason.OverLimit => RefusalReason.OverLimit,
        RejectReason.OtherCluster or RejectReason.OtherEpoch => RefusalReason.OtherCluster,
        _ => RefusalReason.Malformed,
    };
}
