using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a peer answers to one fetch: certificates with statements, then their bodies (W5, W8, S1), or the one batch asked for (W6).</summary>
/// <param name="cluster">Whose.</param>
/// <param name="scheme">Checks signatures.</param>
/// <param name="batches">Of this cluster.</param>
/// <param name="order">What the core wants.</param>
/// <param name="inputBytes">What one fetch may have under way. Unit: bytes.</param>
internal sealed class CatchUpIntake(ClusterFile cluster, ISignatureScheme scheme, BatchVerifier batches, FetchOrder order, int inputBytes) : IFetchIntake
{
    /// <summary>What a slot counts for at least: a window of them fills what a fetch may have under way, for beyond two windows above its stored tip the core takes nothing, and what came would have to come again.</summary>
    private readonly int _slotBytesMin = inputBytes / cluster.Limits.WindowSlots;

    private readonly RangeVerifier _verifier = new(new AckVerifier(cluster.Committee, scheme, NodeLimits.Default.RememberedRootsMax), batches);
    private readonly AckVerifier _floors = new(cluster.Committee, scheme, rememberedRootsMax: 1);
    private readonly AwaitedBodies _bodies = new(batches);
    private bool _isFloorNamed;

    /// <inheritdoc/>
    public FetchFrame Request { get; } = new(
        order.Stream,
        order.From,
        order.Batch is not null ? order.From : order.IsWithoutBodies ? order.BodiesFrom.Preceding : new Sequence(Sequence.MaxValue),
        WithBodies: !order.IsWithoutBodies,
        order.Batch);

    /// <inheritdoc/>
    public bool IsComplete { get; private set; }

    /// <inheritdoc/>
    public Intake Take(IFetchReply frame)
    {
        switch (frame)
        {
            case CertifiedFrame certified:
                return OnCertified(certified);
            case BodyFrame body:
                return OnBody(body);
            case FloorFrame floor:
                return OnFloor(floor);
            case BatchFrame batch:
                return OnBatch(batch.Batch);
            case FetchedFrame when order.Batch is not null:
                IsComplete = true;
                return default;
            case FetchedFrame fetched:
                IsComplete = true;
                return fetched.Highest is null && !_isFloorNamed ? Intake.Of(new LackingInput(order.Peer, new Slot(order.Stream, order.From))) : default;
            case MalformedFrame malformed:
                return Intake.Lied(malformed.Reason);
            default:
                return default;
        }
    }

    private Intake OnCertified(CertifiedFrame frame)
    {
        if (!_verifier.TryVerify(frame, out VerifiedCertificate? certificate, out VerifiedStatement[] statements, out RejectReason reason))
        {
            return Intake.Lied(reason);
        }

        if (certificate.Batch.Stream != order.Stream)
        {
            return Intake.Lied(RejectReason.OtherParty);
        }

        _bodies.Clear();
        foreach (VerifiedStatement statement in statements)
        {
            _bodies.Add(statement);
        }

        return Intake.Of(new CertificateInput(certificate, statements) { Bytes = FrameBytes.Of(frame) });
    }

    /// <summary>W6: treated as if its publisher had sent it, policy and signature too.</summary>
    private Intake OnBatch(SignedBatch signed)
    {
        if (!BatchStatement.TryParse(cluster.Committee.Cluster, signed.Statement.Span, out BatchStatement? statement, out RejectReason reason))
        {
            return Intake.Lied(reason);
        }

        if (statement.Reference != new BatchRef(order.Stream, order.From, order.Batch ?? default))
        {
            return Intake.Lied(RejectReason.OtherSlot);
        }

        if (!cluster.MayPublish(statement.Header.Topic, statement.Header.Publisher))
        {
            return default;
        }

        return batches.TryVerify(signed, out VerifiedBatch? batch, out reason)
            ? Intake.Of(new BatchInput(batch) { Bytes = signed.Body.Length + statement.Bytes.Length })
            : Intake.Lied(reason);
    }

    private Intake OnBody(BodyFrame frame) => _bodies.TryTake(frame, out VerifiedBatch? batch, out RejectReason reason)
        ? Intake.Of(new BatchInput(batch) { Bytes = Math.Max(frame.Body.Length + batch.Statement.Statement.Bytes.Length, _slotBytesMin) })
        : Intake.Lied(reason);

    /// <summary>S3: whether it is accepted, the core decides; here only its proof is verified.</summary>
    private Intake OnFloor(FloorFrame frame)
    {
        _isFloorNamed = true;
        return frame.Slot.Stream != order.Stream ? Intake.Lied(RejectReason.OtherParty)
            : _floors.TryVerifyCertificate(frame.Certificate.Span, out VerifiedCertificate? certificate, out RejectReason reason)
                ? Intake.Of(new FloorInput(order.Peer, frame.Slot, certificate, order.IsWithoutBodies) { Bytes = frame.Certificate.Length })
                : Intake.Lied(reason);
    }
}
