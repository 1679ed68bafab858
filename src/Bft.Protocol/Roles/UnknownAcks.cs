using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Roles;

/// <summary>C3: acks for streams that are not known yet, a quota per sending witness; the oldest makes room (W8 brings it back).</summary>
internal sealed class UnknownAcks(int witnesses, int quota)
{
    private readonly LinkedList<VerifiedAck>[] _bySender = [.. Enumerable.Range(0, witnesses).Select(_ => new LinkedList<VerifiedAck>())];

    /// <summary>Keeps an ack; false when an older one had to go.</summary>
    public bool Add(VerifiedAck ack)
    {
        LinkedList<VerifiedAck> acks = _bySender[ack.Witness.Value];
        acks.AddLast(ack);
        if (acks.Count <= quota)
        {
            return true;
        }

        acks.RemoveFirst();
        return false;
    }

    /// <summary>Takes out what was kept for a stream that has become known, in the order of its senders and arrival.</summary>
    public List<VerifiedAck> Take(StreamId stream)
    {
        List<VerifiedAck> taken = [];
        foreach (LinkedList<VerifiedAck> acks in _bySender)
        {
            for (LinkedListNode<VerifiedAck>? node = acks.First; node is not null;)
            {
                LinkedListNode<VerifiedAck>? next = node.Next;
                if (node.Value.Batch.Stream == stream)
                {
                    taken.Add(node.Value);
                    acks.Remove(node);
                }

                node = next;
            }
        }

        return taken;
    }
}
