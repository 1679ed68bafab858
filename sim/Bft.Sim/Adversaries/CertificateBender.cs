using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Sim;

/// <summary>Makes certificates that must not hold.</summary>
internal sealed class CertificateBender(Committee committee)
{
    /// <summary>A certificate with one thing wrong.</summary>
    public (ReadOnlyMemory<byte> Bytes, string What) Bend(QuorumCertificate certificate, ref Lot lot)
    {
        List<CertificateEntry> entries = [.. certificate.Entries];
        BatchRef batch = certificate.Batch;
        Epoch epoch = certificate.Epoch;
        int at = lot.Below(entries.Count);
        string what;
        switch (lot.Below(9))
        {
            case 0:
                entries.RemoveAt(at);
                what = "certificate without one ack";
                break;
            case 1:
                entries[at] = entries[lot.Below(entries.Count)];
                what = "certificate with one ack twice";
                break;
            case 2:
                entries[at] = entries[at] with { Witness = new WitnessIndex((entries[at].Witness.Value + 1) % committee.Size.Count) };
                entries.Sort((left, right) => left.Witness.Value.CompareTo(right.Witness.Value));
                what = "certificate with an ack of another";
                break;
            case 3:
                entries[at] = entries[at] with { Base = SmallLies.Moved(entries[at].Base, ref lot) };
                what = "certificate with another base";
                break;
            case 4:
                batch = batch with { Sequence = SmallLies.Moved(batch.Sequence, ref lot) };
                what = "certificate for another slot";
                break;
            case 5:
                batch = batch with { Digest = SmallLies.Bent(batch.Digest) };
                what = "certificate for another digest";
                break;
            case 6:
                epoch = new Epoch(1);
                what = "certificate of another epoch";
                break;
            case 7:
                return ((byte[])[.. certificate.Bytes.Span, 0], "certificate with a byte behind");
            default:
                return (SmallLies.Flipped(certificate.Bytes, ref lot), "certificate with a bit flipped");
        }

        return entries.Count == 0 ? (SmallLies.Flipped(certificate.Bytes, ref lot), "certificate with a bit flipped") : (new QuorumCertificate(batch, epoch, entries).Bytes, what);
    }
}
