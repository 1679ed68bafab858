using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// No two correct receivers deliver different batches in one slot, and no two certificates cover different batches in one slot: neither those that
/// anybody shows, nor those that could be put together from acks that were sent.
/// </summary>
internal sealed class Consistency : Checker
{
    private readonly Dictionary<Slot, (Digest Digest, int Receiver)> _delivered = [];
    private readonly Dictionary<BatchRef, Tally> _tallies = [];
    private readonly Dictionary<Slot, (Digest Digest, BatchRef By)> _covered = [];
    private readonly HashSet<(int Witness, BatchRef Batch, ulong Base)> _counted = [];
    private readonly HashSet<int> _countedWhole = []; // certificates
    private ClaimWalk<BatchRef>? _walk;

    public override string Name => "consistency";

    public override bool HoldsBeyondModel => false;

    private ClaimWalk<BatchRef> Walk => _walk ??= new ClaimWalk<BatchRef>(Facts, OnCoveredSlot);

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        SeenFrame seen = Facts.Sightings.Of(from, frame);
        if (!seen.IsEmpty)
        {
            Count(seen.Bundle?.Acks ?? []);
            foreach (SeenCertificate certificate in seen.Certificates)
            {
                if (!_countedWhole.Contains(certificate.Id) && Count(certificate.Acks))
                {
                    _countedWhole.Add(certificate.Id);
                }
            }
        }

        Walk.Continue();
    }

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        Slot slot = delivery.Batch.Reference.Slot;
        Digest digest = delivery.Batch.Digest;
#if PLANTED
        digest = Planted.Is("canary-consistency") && _delivered.ContainsKey(slot) ? Sha256.Hash([1]) : digest;
#endif
        if (!_delivered.TryAdd(slot, (digest, receiver)) && _delivered[slot] is var first && first.Digest != digest)
        {
            Fail($"{NameOf(receiver)} delivered {digest.ToString()[..8]} in slot {slot}, {NameOf(first.Receiver)} {first.Digest.ToString()[..8]}.", receiver, first.Receiver);
        }
    }

    /// <returns>All count: they need no second look.</returns>
    private bool Count(SeenAck[] acks)
    {
        bool all = true;
        foreach (SeenAck ack in acks)
        {
            if (ack.Witness >= Facts.Plan.Witnesses || !Facts.Sightings.IsGenuine(ack))
            {
                all = false;
                continue;
            }

            if (!_counted.Add((ack.Witness, ack.Batch, ack.Base)))
            {
                continue;
            }

            if (!_tallies.TryGetValue(ack.Batch, out Tally? tally))
            {
                tally = new Tally(Facts.Plan.Witnesses);
                _tallies.Add(ack.Batch, tally);
            }

            if (tally.TryReach(ack.Witness, ack.Base) is { } from)
            {
                Walk.Add(ack.Batch, ack.Batch, from);
            }
        }

        return all;
    }

    private void OnCoveredSlot(BatchRef by, BatchRef batch)
    {
        if (!_covered.TryAdd(batch.Slot, (batch.Digest, by)) && _covered[batch.Slot] is var first && first.Digest != batch.Digest)
        {
            Fail($"Acks that were sent certify two batches in slot {batch.Slot}: {first.Digest.ToString()[..8]} through {first.By}, {batch.Digest.ToString()[..8]} through {by}.");
        }
    }

    /// <summary>The lowest base that each witness claims with one batch.</summary>
    private sealed class Tally(int witnesses)
    {
        private readonly ulong[] _bases = [.. Enumerable.Repeat(ulong.MaxValue, witnesses)];
        private ulong _reach = ulong.MaxValue;

        /// <summary>The lowest slot that a certificate from these acks can cover, when it is lower than before.</summary>
        public ulong? TryReach(int witness, ulong from)
        {
            if (from >= _bases[witness])
            {
                return null;
            }

            _bases[witness] = from;
            ulong[] sorted = [.. _bases];
            Array.Sort(sorted);

            // The fewest acks of which any two such sets share more than ⌊(n − 1) / 3⌋ witnesses.
            int faulty = (witnesses - 1) / 3;
            int needed = ((witnesses + faulty) / 2) + 1;
            ulong reach = sorted[needed - 1];
            bool isLower = reach < _reach;
            _reach = Math.Min(reach, _reach);
            return isLower ? reach : null;
        }
    }
}
