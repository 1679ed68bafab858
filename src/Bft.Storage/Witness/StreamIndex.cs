using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>Where a stream's stored slots and certificates lie, from the first slot that is kept at all. Grows at its end; anything else makes a new one.</summary>
internal sealed class StreamIndex(Sequence first)
{
    public Sequence First => first;

    public AppendList<StoredSlot> Slots { get; } = new();

    public AppendList<StoredCertificate> Certificates { get; } = new();

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
        StreamIndex index = new(from);
        for (Sequence sequence = from; sequence < End; sequence = sequence.Following)
        {
            index.Slots.Add(slot(sequence, this[sequence]));
        }

        for (long i = 0; i < Certificates.Count; i++)
        {
            // The one right below the first slot stays: it proves that there was one.
            if (Certificates[i].Top + 1 >= from.Value)
            {
                index.Certificates.Add(certificate(Certificates[i]));
            }
        }

        return index;
    }
}
