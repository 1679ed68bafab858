using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>Where a stream's stored slots and certificates lie, from the first slot that is kept at all. Grows at its end; anything else makes a new one.</summary>
internal sealed class StreamIndex(Sequence first)
{
    public Sequence First => first;

    public IndexRows<StoredSlot> Slots { get; init; } = new();

    public IndexRows<StoredCertificate> Certificates { get; init; } = new();

    /// <summary>Most streams have none.</summary>
    public IEnumerable<IndexPage> Pages => Slots.Pages.Count + Certificates.Pages.Count == 0 ? [] : Slots.Pages.Concat(Certificates.Pages);

    /// <summary>One above the last slot.</summary>
    public Sequence End => new(first.Value + (ulong)Slots.Count);

    /// <param name="sequence">From <see cref="First"/> to below <see cref="End"/>.</param>
    public StoredSlot this[Sequence sequence] => Slots[(long)(sequence.Value - first.Value)];

    /// <summary>The lowest certificate at or above a slot, as a number: it covers all down to the one before it.</summary>
    public long CertificateFor(Sequence sequence)
    {
        long low = 0;
        long high = Certificates.Count - 1;
        while (low < high)
        {
            long middle = (low + high) / 2;
            (low, high) = Certificates[middle].Top < sequence.Value ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>The same from another first slot on, with what was moved where it lies now.</summary>
    public StreamIndex Rewritten(Sequence from, Func<Sequence, StoredSlot, StoredSlot> slot, Func<StoredCertificate, StoredCertificate> certificate)
    {
        // The certificate right below the first slot stays: it proves that there was one.
        long cut = 0;
        while (cut < Certificates.Count && Certificates[cut].Top + 1 < from.Value)
        {
            cut++;
        }

        return new StreamIndex(from)
        {
            Slots = Slots.Rewritten((long)(from.Value - first.Value), (row, old) => slot(new Sequence(first.Value + (ulong)row), old)),
            Certificates = Certificates.Rewritten(cut, (_, old) => certificate(old)),
        };
    }

    /// <summary>The same with a certificate that covers from a slot on, in place of those that end where it does or before.</summary>
    public StreamIndex Recertified(Sequence from, ulong top, JournalPosition position)
    {
        long at = CertificateFor(from);
        long end = at;
        while (end < Certificates.Count && Certificates[end].Top <= top)
        {
            end++;
        }

        // As old as what it stands for, or the next one (S2).
        long storedAt = Certificates[Math.Min(Math.Max(at, end - 1), Certificates.Count - 1)].StoredAt;
        return new StreamIndex(first) { Slots = Slots, Certificates = Certificates.Spliced(at, end - at, new StoredCertificate(top, storedAt, position)) };
    }

    public void Renew(Predicate<IndexPage> which)
    {
        Slots.Renew(which);
        Certificates.Renew(which);
    }
}
