using System.Diagnostics.CodeAnalysis;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>The bodies that belong to the certified range that a peer showed last, each once.</summary>
internal sealed class AwaitedBodies(BatchVerifier batches)
{
    private readonly Dictionary<Sequence, VerifiedStatement> _statements = []; // bound: one certified range

    /// <summary>Another range begins.</summary>
    public void Clear() => _statements.Clear();

    public void Add(VerifiedStatement statement) => _statements.Add(statement.Sequence, statement);

    public bool TryTake(BodyFrame frame, [NotNullWhen(true)] out VerifiedBatch? batch, out RejectReason reason)
    {
        if (_statements.Remove(frame.Slot.Sequence, out VerifiedStatement? statement) && statement.Reference.Slot == frame.Slot)
        {
            return batches.TryVerifyBody(statement, frame.Body, frame.BodyOwner, out batch, out reason);
        }

        batch = null;
        reason = RejectReason.OtherParty;
        return false;
    }
}
