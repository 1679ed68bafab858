using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;
using Grpc.Core;

namespace Bft.Node;

/// <summary>Reads one publisher's call: cheap checks, then policy, then the signature, then the body's hash; what passes goes to the core.</summary>
internal sealed class PublishCall(ClusterFile cluster, BatchStore store, CoreMailbox core, ByteBudget budget, BatchVerifier batches, Session session, Outbox<IPublishReply> outbox)
{
    private const int InquiryBytes = 64 * 1024; // the answer

    private readonly RangeVerifier _ranges = new(new AckVerifier(cluster.Committee, Ed25519.Instance, NodeLimits.Default.RememberedRootsMax), batches);

    /// <exception cref="RpcException">The client sent what no client should send.</exception>
    public async Task ReadAllAsync(IAsyncStreamReader<IPublishRequest> requests, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            switch (requests.Current)
            {
                case BatchFrame batch:
                    await OnBatchAsync(batch.Batch, cancellationToken);
                    break;
                case CertifiedFrame certified:
                    await OnCertifiedAsync(certified, cancellationToken);
                    break;
                case InquiryFrame inquiry:
                    await budget.TakeAsync(InquiryBytes, cancellationToken);
                    core.Post(new InquiryInput(inquiry.Topic, session.Client, outbox) { Budget = budget, Bytes = InquiryBytes });
                    break;
                case MalformedFrame malformed:
                    throw new RpcException(new Status(StatusCode.InvalidArgument, $"A message could not be read: {malformed.Reason}."));
                default:
                    break;
            }
        }
    }

    private async ValueTask OnBatchAsync(SignedBatch signed, CancellationToken cancellationToken)
    {
        if (!BatchStatement.TryParse(cluster.Committee.Cluster, signed.Statement.Span, out BatchStatement? statement, out RejectReason reason))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"A batch statement could not be read: {reason}."));
        }

        if (WhyRefused(statement) is { } refusal)
        {
            Refuse(signed, refusal);
            return;
        }

        if (!batches.TryVerify(signed, out VerifiedBatch? batch, out reason))
        {
            Refuse(signed, new Refusal(statement.Reference.Slot, ReasonOf(reason), Text: $"the batch was not taken: {reason}"));
            return;
        }

        int bytes = signed.Body.Length + statement.Bytes.Length;
        await budget.TakeAsync(bytes, cancellationToken);
        core.Post(new BatchInput(batch) { Budget = budget, Bytes = bytes });
    }

    private Refusal? WhyRefused(BatchStatement statement)
    {
        StreamHeader header = statement.Header;
        Slot slot = statement.Reference.Slot;
        return !cluster.HasPolicyFor(header.Topic) ? new Refusal(
                slot, RefusalReason.UnknownTopic, Text: $"no policy in cluster.yaml covers the topic '{header.Topic}'; add one under topics, or publish to another")
            : header.Publisher != session.Client ? new Refusal(slot, RefusalReason.NotAllowed, Text: "a call carries the batches of the key that opened it, and no others")
            : !cluster.MayPublish(header.Topic, header.Publisher) ? new Refusal(
                slot, RefusalReason.NotAllowed, Text: $"the policy of the topic '{header.Topic}' does not let {cluster.ClientOf(session.Client)?.Name ?? "this key"} publish")
            : null;
    }

    /// <summary>P5: a hand-over; or a link's target.</summary>
    private async ValueTask OnCertifiedAsync(CertifiedFrame frame, CancellationToken cancellationToken)
    {
        if (!QuorumCertificate.TryParse(frame.Certificate.Span, out QuorumCertificate? parsed))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "A certificate could not be read."));
        }

        // R5, W5: at or below the tip it says nothing new, and signatures cost.
        if (store.IsStored(parsed.Batch.Slot))
        {
            return;
        }

        if (!_ranges.TryVerify(frame, out VerifiedCertificate? certificate, out VerifiedStatement[] statements, out RejectReason reason))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"A certificate or its statements do not hold: {reason}."));
        }

        int bytes = FrameBytes.Of(frame);
        await budget.TakeAsync(bytes, cancellationToken);
        core.Post(new CertificateInput(certificate, statements) { Budget = budget, Bytes = bytes });
    }

    private void Refuse(SignedBatch signed, Refusal refusal)
    {
        signed.BodyOwner?.Dispose();
        outbox.Post(RefusalFrame.From(refusal), FrameBytes.Of(refusal));
    }

    private static RefusalReason ReasonOf(RejectReason reason) => reason switch
    {
        RejectReason.BadSignature or RejectReason.BadKey => RefusalReason.BadSignature,
        RejectReason.OverLimit => RefusalReason.OverLimit,
        RejectReason.OtherCluster or RejectReason.OtherEpoch => RefusalReason.OtherCluster,
        _ => RefusalReason.Malformed,
    };
}
