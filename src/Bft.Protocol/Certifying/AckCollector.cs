using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Certifying;

/// <summary>What became of an ack.</summary>
public enum AckOutcome
{
    /// <summary>The first of this witness in this slot; it counts.</summary>
    Counted,

    /// <summary>This witness acked the same batch there before (C1: one per witness and slot). Perhaps under another root: identity is the leaf.</summary>
    Repeated,

    /// <summary>This witness acked another batch there before (C2). The first stays.</summary>
    Conflicting,
}

/// <summary>Collects the acks of one stream and certifies what a quorum acked. Rules C1 and C2.</summary>
/// <remarks>
/// The same class in witness, publisher and simulator. Its owner bounds it (C3): it feeds only acks of slots in the stream's window, and
/// forgets the slots below; at most window × witnesses acks are kept, about 300 bytes each.
/// </remarks>
public sealed class AckCollector(Committee committee)
{
    private static readonly Dictionary<Sequence, VerifiedAck?[]> None = [];
    private Dictionary<Sequence, VerifiedAck?[]> _slots = None; // an idle stream has no table

    /// <summary>Slots of which acks are kept.</summary>
    public int SlotCount => _slots.Count;

    /// <summary>Counts an ack once per witness and slot.</summary>
    /// <param name="ack">Verified, so of a member and with a legal base.</param>
    /// <param name="first">The ack of this witness that counts in this slot: this one, or the one before it.</param>
    public AckOutcome OnAck(VerifiedAck ack, out VerifiedAck first)
    {
        ArgumentNullException.ThrowIfNull(ack);
        if (!_slots.TryGetValue(ack.Batch.Sequence, out VerifiedAck?[]? acks))
        {
            acks = new VerifiedAck?[committee.Size.Count];
            _slots = ReferenceEquals(_slots, None) ? [] : _slots;
            _slots.Add(ack.Batch.Sequence, acks);
        }

        ref VerifiedAck? counted = ref acks[ack.Witness.Value];
#if PLANTED
        if (Crypto.Planted.Is("last-ack-wins") || Crypto.Planted.Is("duplicates-counted"))
        {
            int free = Crypto.Planted.Is("duplicates-counted") && counted?.Batch == ack.Batch ? Array.IndexOf(acks, null) : -1;
            acks[free >= 0 ? free : ack.Witness.Value] = ack;
        }
#endif
        first = counted ??= ack;
        return ReferenceEquals(first, ack) ? AckOutcome.Counted
            : first.Batch.Digest == ack.Batch.Digest ? AckOutcome.Repeated
            : AckOutcome.Conflicting;
    }

    /// <summary>Certifies the batch that a quorum acked in this slot, if there is one: with the acks that reach lowest, so that the certificate covers most.</summary>
    public VerifiedCertificate? TryCertify(Sequence slot)
    {
        if (!_slots.TryGetValue(slot, out VerifiedAck?[]? acks))
        {
            return null;
        }

        int quorum = committee.Size.Quorum;
        foreach (VerifiedAck? candidate in acks)
        {
            if (candidate is null || Votes(acks, candidate.Batch) < quorum)
            {
                continue;
            }

            return Certify(acks, candidate.Batch);
        }

        return null;
    }

    /// <summary>Some ack that counts in the slot is of another batch.</summary>
    public bool HasOther(BatchRef batch)
    {
        foreach (VerifiedAck? ack in _slots.GetValueOrDefault(batch.Sequence) ?? [])
        {
            if (ack is not null && ack.Batch != batch)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The acks that count in a slot, in the order of their witnesses.</summary>
    public IEnumerable<VerifiedAck> AcksAt(Sequence slot) =>
        _slots.TryGetValue(slot, out VerifiedAck?[]? acks) ? acks.OfType<VerifiedAck>() : [];

    /// <summary>Witnesses whose ack of this batch counts.</summary>
    public int VotesFor(BatchRef batch) => _slots.TryGetValue(batch.Sequence, out VerifiedAck?[]? acks) ? Votes(acks, batch) : 0;

    /// <summary>The first ack that this witness sent for this slot.</summary>
    public VerifiedAck? AckOf(WitnessIndex witness, Sequence slot) =>
        _slots.TryGetValue(slot, out VerifiedAck?[]? acks) ? acks[witness.Value] : null;

    /// <summary>Drops what is below a slot: it is covered and stored.</summary>
    public void ForgetBelow(Sequence floor)
    {
        if (_slots.Count == 0)
        {
            return;
        }

        foreach (Sequence slot in _slots.Keys.Where(slot => slot < floor).ToArray())
        {
            _slots.Remove(slot);
        }

        _slots = _slots.Count == 0 ? None : _slots;
    }

    private VerifiedCertificate Certify(VerifiedAck?[] acks, BatchRef batch)
    {
        CertificateEntry[] entries =
        [
            .. acks.Where(ack => ack is not null && ack.Batch == batch)
                .OrderBy(ack => ack!.Base)
                .ThenBy(ack => ack!.Witness)
                .Take(committee.Size.Quorum)
                .OrderBy(ack => ack!.Witness)
                .Select(ack => CertificateEntry.From(ack!)),
        ];
        return new VerifiedCertificate(new QuorumCertificate(batch, committee.Epoch, entries));
    }

    private static int Votes(VerifiedAck?[] acks, BatchRef batch)
    {
        int votes = 0;
        foreach (VerifiedAck? ack in acks)
        {
            votes += ack is not null && ack.Batch == batch ? 1 : 0;
        }

        return votes;
    }
}
