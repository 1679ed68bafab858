using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a peer answers to a <see cref="RepairOrder"/>: believed when its certificate holds and names what is known here of the slots all the same.</summary>
internal sealed class RepairIntake(ClusterFile cluster, ISignatureScheme scheme, BatchVerifier batches, BatchStore store, RepairOrder order) : IFetchIntake
{
    private readonly RangeVerifier _verifier = new(new AckVerifier(cluster.Committee, scheme, NodeLimits.Default.RememberedRootsMax), batches);
    private readonly AwaitedBodies _bodies = new(batches);

    /// <inheritdoc/>
    public FetchFrame Request { get; } = new(order.Stream, order.From, order.To, order.WithBodies, null);

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
            case FetchedFrame:
                IsComplete = true;
                return default;
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

        if (certificate.Batch.Stream != order.Stream || !store.TryFind(order.Stream, out StreamLog? log))
        {
            return Intake.Lied(RejectReason.OtherParty);
        }

        _bodies.Clear();
        foreach (VerifiedStatement statement in statements.Where(statement => order.Holds(statement.Sequence)))
        {
            if (log.KnownDigest(statement.Sequence) is { } known && known != statement.Digest)
            {
                // More than f are faulty, and here is the proof (C2).
                return StoredForks.Find(store, _verifier, certificate.Certificate, out _) is { } fork ? Intake.Of(fork) : Intake.Lied(RejectReason.OtherDigest);
            }

            _bodies.Add(statement);
        }

        return Intake.Of(new RepairRangeInput(order, certificate, statements) { Bytes = FrameBytes.Of(frame) });
    }

    private Intake OnBody(BodyFrame frame) => _bodies.TryTake(frame, out VerifiedBatch? batch, out RejectReason reason)
        ? Intake.Of(new RepairBodyInput(order, batch) { Bytes = frame.Body.Length + batch.Statement.Statement.Bytes.Length })
        : Intake.Lied(reason);
}
