using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>What Byzantine parties know together: every ack and certificate shown to one of them, and how to make more of it.</summary>
/// <remarks>It holds no key. Colluding witnesses sign with their own, conspiring publishers with theirs.</remarks>
internal sealed class Conspiracy(SimulatedCluster cluster)
{
    private const int CertificatesMax = 256;

    private readonly Dictionary<BatchRef, SortedDictionary<int, CertificateEntry>> _acks = [];
    private readonly List<BatchRef> _acked = [];
    private readonly List<QuorumCertificate> _certificates = [];
    private readonly List<SignedBatch> _batches = [];
    private readonly SortedSet<Digest> _secrets = [];

    /// <summary>Byzantine witnesses that take part.</summary>
    public IEnumerable<ColludingWitness> Witnesses => cluster.All.OfType<ColludingWitness>();

    /// <summary>Certificates shown to one of them, the oldest first.</summary>
    public IReadOnlyList<QuorumCertificate> Certificates => _certificates;

    /// <summary>Batches of correct publishers, as they came.</summary>
    public IReadOnlyList<SignedBatch> Batches => _batches;

    /// <summary>Batches that somebody acked, the first to be shown first.</summary>
    public IReadOnlyList<BatchRef> Acked => _acked;

    /// <summary>An ack as its witness signed it; null when they were not shown it.</summary>
    public AckBundle? AckOf(int witness, BatchRef batch)
    {
        if (!_acks.TryGetValue(batch, out SortedDictionary<int, CertificateEntry>? acks) || !acks.TryGetValue(witness, out CertificateEntry? entry))
        {
            return null;
        }

        AckLeaf leaf = entry.ToLeaf(batch);
        return Merkle.TryRootFromPath(leaf.Statement.LeafHash(cluster.Cluster, cluster.Committee.Epoch), (uint)leaf.LeafIndex, (uint)entry.LeafCount, [.. leaf.Path], out Digest root)
            ? new AckBundle(new AckRootStatement(cluster.Cluster, cluster.Committee.Epoch, entry.Witness, entry.Run, entry.Mark, entry.LeafCount, root), entry.Signature, [leaf])
            : null;
    }

    /// <summary>The statement of a batch; null when none of them has it.</summary>
    public ReadOnlyMemory<byte>? StatementOf(BatchRef batch) =>
        _batches.Find(signed => Sha256.Hash(signed.Statement.Span) == batch.Digest)?.Statement
        ?? cluster.All.OfType<ConspiringPublisher>().SelectMany(publisher => publisher.Branches).SelectMany(branch => branch.Batches)
            .FirstOrDefault(known => known.Reference == batch)?.Statement.Statement.Bytes;

    /// <summary>Who acked a batch, as far as they know.</summary>
    public IEnumerable<int> AckersOf(BatchRef batch) => _acks.TryGetValue(batch, out SortedDictionary<int, CertificateEntry>? acks) ? acks.Keys : [];

    /// <summary>Colluding witnesses keep this batch to themselves: its acks, its certificates, its body.</summary>
    public void KeepSecret(BatchRef batch) => _secrets.Add(batch.Digest);

    public void Reveal(BatchRef batch) => _secrets.Remove(batch.Digest);

    public bool IsSecret(in BatchRef batch) => _secrets.Count > 0 && _secrets.Contains(batch.Digest);

    /// <summary>Reads what one of them was sent.</summary>
    public void Learn(IFrame frame)
    {
        switch (frame)
        {
            case AcksFrame acks when AckBundle.TryParse(cluster.Committee.Cluster, acks.Bundle.Span, out AckBundle? bundle):
                foreach (AckLeaf leaf in bundle.Leaves)
                {
                    Learn(leaf.Statement.Batch, AckForge.EntryOf(bundle, leaf));
                }

                break;
            case TipFrame tip:
                Learn(tip.Certificate);
                break;
            case CertifiedFrame certified:
                Learn(certified.Certificate);
                break;
            case BatchFrame batch when _batches.Count < CertificatesMax:
                _batches.Add(batch.Batch with { Body = batch.Batch.Body.ToArray(), BodyOwner = null });
                break;
            default:
                break;
        }
    }

    /// <summary>A certificate of honest acks and their own; null while there are too few.</summary>
    /// <param name="batch">For what.</param>
    /// <param name="lot">Draws their bases.</param>
    /// <param name="missing">Fewer acks than a quorum by so many: a forgery.</param>
    /// <param name="isPadded">The first ack stands there so many times more.</param>
    public QuorumCertificate? Certify(BatchRef batch, ref Lot lot, int missing = 0, bool isPadded = false)
    {
        int wanted = cluster.Committee.Size.Quorum - missing;
        SortedDictionary<int, CertificateEntry> entries = [];
        foreach (ColludingWitness witness in Witnesses)
        {
            AckBundle own = witness.Claim(new AckStatement(batch, BaseFor(batch.Sequence, ref lot)));
            entries[witness.Index.Value] = AckForge.EntryOf(own, own.Leaves[0]);
        }

        foreach ((int witness, CertificateEntry entry) in _acks.GetValueOrDefault(batch) ?? [])
        {
            if (entries.Count < wanted)
            {
                entries.TryAdd(witness, entry);
            }
        }

        return entries.Count >= wanted && wanted > 0 ? new QuorumCertificate(batch, cluster.Committee.Epoch, [.. Enumerable.Repeat(entries.Values.FirstOrDefault()!, isPadded ? missing : 0), .. entries.Values.Take(wanted)]) : null;
    }

    /// <summary>Each colluding witness acks a batch, whatever it acked before, to these parties.</summary>
    public void Ack(BatchRef batch, IReadOnlyList<int> witnesses, ref Lot lot)
    {
        foreach (ColludingWitness witness in Witnesses)
        {
            AckBundle bundle = witness.Claim(new AckStatement(batch, BaseFor(batch.Sequence, ref lot)));
            Learn(batch, AckForge.EntryOf(bundle, bundle.Leaves[0]));
            AcksFrame frame = new(bundle.Encode());
            foreach (int to in witnesses)
            {
                witness.Tell(to, frame);
            }
        }
    }

    /// <summary>Any base that is not malformed (C1): as low as it may be, the slot itself, or between.</summary>
    private Sequence BaseFor(Sequence slot, ref Lot lot)
    {
        ulong reach = Math.Min(slot.Value, (ulong)cluster.Committee.Limits.WindowSlots - 1);
        return lot.Below(3) switch
        {
            0 => slot,
            1 => new Sequence(slot.Value - reach),
            _ => new Sequence(slot.Value - (ulong)lot.Between(0, (long)reach)),
        };
    }

    private void Learn(ReadOnlyMemory<byte> bytes)
    {
        if (QuorumCertificate.TryParse(bytes.Span, out QuorumCertificate? certificate))
        {
            foreach (CertificateEntry entry in certificate.Entries)
            {
                Learn(certificate.Batch, entry);
            }

            if (_certificates.Count < CertificatesMax)
            {
                _certificates.Add(certificate);
            }
        }
    }

    private void Learn(in BatchRef batch, CertificateEntry entry)
    {
        if (!_acks.TryGetValue(batch, out SortedDictionary<int, CertificateEntry>? acks))
        {
            acks = [];
            _acks.Add(batch, acks);
            _acked.Add(batch);
        }

        acks[entry.Witness.Value] = entry;
    }
}
