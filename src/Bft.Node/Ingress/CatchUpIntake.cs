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
internal sealed class CatchUpIntake(ClusterFile cluster, ISignatureScheme scheme, BatchVerifier batches, FetchOrder order, int inputBytes)
{
    /// <summary>What a slot counts for at least: a window of them fills what a fetch may have under way, for beyond two windows above its stored tip the core takes nothing, and what came would have to come again.</summary>
    private readonly int _slotBytesMin = inputBytes / cluster.Limits.WindowSlots;

    private readonly RangeVerifier _verifier = new(new AckVerifier(cluster.Committee, scheme, NodeLimits.Default.RememberedRootsMax), batches);
    private readonly AckVerifier _floors = new(cluster.Committee, scheme, rememberedRootsMax: 1);
    private readonly Dictionary<Sequence, VerifiedStatement> _wanted = []; // bound: one certified range
    private bool _isFloorNamed;

    /// <summary>What to ask the peer for.</summary>
    public FetchFrame Request { get; } = new(
        order.Stream,
        order.From,
        order.Batch is not null ? order.From : order.IsWithoutBodies ? order.BodiesFrom.Preceding : new Sequence(Sequence.MaxValue),
        WithBodies: !order.IsWithoutBodies,
        order.Batch);

    /// <summary>The peer has no more.</summary>
    public bool IsComplete { get; private set; }

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
                return Lied(malformed.Reason);
            default:
                return default;
        }
    }

    private Intake OnCertified(CertifiedFrame frame)
    {
        if (!_verifier.TryVerify(frame, out VerifiedCertificate? certificate, out VerifiedStatement[] statements, out RejectReason reason))
        {
            return Lied(reason);
        }

        if (certificate.Batch.Stream != order.Stream)
        {
            return Lied(RejectReason.OtherParty);
        }

        _wanted.Clear();
        foreach (VerifiedStatement statement in statements)
        {
            _wanted.Add(statement.Sequence, statement);
        }

        return Intake.Of(new CertificateInput(certificate, statements) { Bytes = FrameBytes.Of(frame) });
    }

    /// <summary>W6: treated as if its publisher had sent it, policy and signature too.</summary>
    private Intake OnBatch(SignedBatch signed)
    {
        if (!BatchStatement.TryParse(cluster.Committee.Cluster, signed.Statement.Span, out BatchStatement? statement, out RejectReason reason))
        {
            return Lied(reason);
        }

        if (statement.Reference != new BatchRef(order.Stream, order.From, order.Batch ?? default))
        {
            return Lied(RejectReason.OtherSlot);
        }

        if (!cluster.MayPublish(statement.Header.Topic, statement.Header.Publisher))
        {
            return default;
        }

        return batches.TryVerify(signed, out VerifiedBatch? batch, out reason)
            ? Intake.Of(new BatchInput(batch) { Bytes = signed.Body.Length + statement.Bytes.Length })
            : Lied(reason);
    }

    private Intake OnBody(BodyFrame frame)
    {
        if (!_wanted.Remove(frame.Slot.Sequence, out VerifiedStatement? statement) || statement.Reference.Slot != frame.Slot)
        {
            return Lied(RejectReason.OtherParty);
        }

        return batches.TryVerifyBody(statement, frame.Body, frame.BodyOwner, out VerifiedBatch? batch, out RejectReason reason)
            ? Intake.Of(new BatchInput(batch) { Bytes = Math.Max(frame.Body.Length + statement.Statement.Bytes.Length, _slotBytesMin) })
            : Lied(reason);
    }

    /// <summary>S3: whether it is accepted, the core decides; here only its proof is verified.</summary>
    private Intake OnFloor(FloorFrame frame)
    {
        _isFloorNamed = true;
        return frame.Slot.Stream != order.Stream ? Lied(RejectReason.OtherParty)
            : _floors.TryVerifyCertificate(frame.Certificate.Span, out VerifiedCertificate? certificate, out RejectReason reason)
                ? Intake.Of(new FloorInput(order.Peer, frame.Slot, certificate, order.IsWithoutBodies) { Bytes = frame.Certificate.Length })
                : Lied(reason);
    }

    private static Intake Lied(RejectReason reason) => Intake.Faulty($"what the peer sent does not hold: {reason}");
}
