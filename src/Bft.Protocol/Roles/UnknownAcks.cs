using System.Runtime.InteropServices;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Roles;

/// <summary>C3: acks for streams that are not known yet, a quota per sending witness; the oldest makes room (W8 brings it back).</summary>
internal sealed class UnknownAcks(int witnesses, int quota)
{
    private readonly LinkedList<VerifiedAck>[] _bySender = [.. Enumerable.Range(0, witnesses).Select(_ => new LinkedList<VerifiedAck>())];
    private readonly Dictionary<BatchRef, WitnessSet> _byBatch = []; // bound: the acks

    public int Count => _bySender.Sum(acks => acks.Count);

    /// <summary>Keeps an ack; false when an older one had to go.</summary>
    /// <param name="ack">Of a stream that is not known.</param>
    /// <param name="witnesses">How many have acked this batch.</param>
    public bool Add(VerifiedAck ack, out int witnesses)
    {
        ref WitnessSet known = ref CollectionsMarshal.GetValueRefOrAddDefault(_byBatch, ack.Batch, out _);
        bool isRepeated = known.Contains(ack.Witness);
        known = known.With(ack.Witness);
        witnesses = known.Count;
        if (isRepeated)
        {
            // W8 sends it again and again: it must not push out others.
            return true;
        }

        LinkedList<VerifiedAck> acks = _bySender[ack.Witness.Value];
        acks.AddLast(ack);
        if (acks.Count <= quota)
        {
            return true;
        }

        Drop(acks, acks.First!);
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
                    Drop(acks, node);
                }

                node = next;
            }
        }

        return taken;
    }

    private void Drop(LinkedList<VerifiedAck> acks, LinkedListNode<VerifiedAck> node)
    {
        acks.Remove(node);
        WitnessSet left = _byBatch[node.Value.Batch].Without(node.Value.Witness);
        if (left.Count == 0)
        {
            _byBatch.Remove(node.Value.Batch);
        }
        else
        {
            _byBatch[node.Value.Batch] = left;
        }
    }
}
