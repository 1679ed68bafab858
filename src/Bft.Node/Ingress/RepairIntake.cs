using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What a peer answers to a <see cref="RepairOrder"/>: believed when its certificate holds and names what is known here of the slots all the same.</summary>
internal sealed class RepairIntake(ClusterFile cluster, ISignatureScheme scheme, BatchVerifier batches, BatchStore store, RepairOrder order)
{
    private readonly RangeVerifier _verifier = new(new AckVerifier(cluster.Committee, scheme, NodeLimits.Default.RememberedRootsMax), batches);
    private readonly Dictionary<Sequence, VerifiedStatement> _wanted = []; // bound: one certified range

    /// <summary>What to ask the peer for.</summary>
    public FetchFrame Request { get; } = new(order.Stream, order.From, order.To, order.WithBodies, null);

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
            case FetchedFrame:
                IsComplete = true;
                return default;
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

        if (certificate.Batch.Stream != order.Stream || !store.TryFind(order.Stream, out StreamLog? log))
        {
            return Lied(RejectReason.OtherParty);
        }

        _wanted.Clear();
        foreach (VerifiedStatement statement in statements.Where(statement => order.Holds(statement.Sequence)))
        {
            if (log.KnownDigest(statement.Sequence) is { } known && known != statement.Digest)
            {
                // More than f are faulty, and here is the proof (C2).
                return StoredForks.Find(store, _verifier, certificate.Certificate, out _) is { } fork ? Intake.Of(fork) : Lied(RejectReason.OtherDigest);
            }

            _wanted.Add(statement.Sequence, statement);
        }

        return Intake.Of(new RepairRangeInput(order, certificate, statements) { Bytes = FrameBytes.Of(frame) });
    }

    private Intake OnBody(BodyFrame frame)
    {
        if (!_wanted.Remove(frame.Slot.Sequence, out VerifiedStatement? statement) || statement.Reference.Slot != frame.Slot)
        {
            return Lied(RejectReason.OtherParty);
        }

        return batches.TryVerifyBody(statement, frame.Body, frame.BodyOwner, out VerifiedBatch? batch, out RejectReason reason)
            ? Intake.Of(new RepairBodyInput(order, batch) { Bytes = frame.Body.Length + statement.Statement.Bytes.Length })
            : Lied(reason);
    }

    private static Intake Lied(RejectReason reason) => Intake.Faulty($"what the peer sent does not hold: {reason}");
}
