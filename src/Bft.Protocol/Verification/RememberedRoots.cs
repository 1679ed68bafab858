using Bft.Crypto;

namespace Bft.Protocol.Verification;

/// <summary>Ack roots verified before: a quorum of signatures is checked once per group commit, not once per batch.</summary>
/// <remarks>
/// Remembered by the whole statement, never by the root alone, and with the signature: another signature over a known statement
/// is checked again, or a certificate with a bad one would pass here and fail at everyone it is shown to.
/// Bounded by <paramref name="capacity"/> entries; the oldest makes room.
/// </remarks>
internal sealed class RememberedRoots(int capacity)
{
    private readonly Dictionary<AckRootStatement, VerifiedAckRoot> _roots = [];
    private readonly Queue<VerifiedAckRoot> _order = new();

    public VerifiedAckRoot? Find(in AckRootStatement statement, Signature signature) =>
        _roots.TryGetValue(statement, out VerifiedAckRoot? root) && root.Signature == signature ? root : null;

    public void Add(VerifiedAckRoot root)
    {
        if (!_roots.TryAdd(root.Statement, root))
        {
            return;
        }

        _order.Enqueue(root);
        if (_order.Count > capacity)
        {
            _roots.Remove(_order.Dequeue().Statement);
        }
    }
}
