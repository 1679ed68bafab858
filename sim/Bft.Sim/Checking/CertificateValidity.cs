using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// Every certificate that a correct party sends, stores or acts on is one: enough distinct witnesses, bases within the window, paths that lead to roots
/// which their witnesses signed. The same for acks that a correct party sends.
/// </summary>
internal sealed class CertificateValidity : Checker
{
    private readonly HashSet<int> _sound = [];
    private readonly HashSet<int> _soundBundles = [];

    public override string Name => "certificate-validity";

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        SeenFrame seen = Facts.Sightings.Of(from, frame);
        if (seen.IsEmpty || !Facts.IsCorrect(from))
        {
            return;
        }

        foreach (SeenCertificate certificate in seen.Certificates)
        {
            Check(from, certificate, "sent");
        }

        if (seen.Bundle is { } bundle && _soundBundles.Add(bundle.Id))
        {
            foreach (SeenAck ack in bundle.Acks)
            {
                if (WhyUnsound(from, ack, epoch: bundle.Root.Epoch) is { } reason)
                {
                    Fail($"{NameOf(from)} sent an ack of {ack.Batch} {reason}.", from);
                    return;
                }
            }
        }
    }

    public override void OnCovered(int publisher, BatchRef batch, VerifiedCertificate certificate)
    {
        Check(publisher, certificate, "took its batch for certified by");
        if (certificate.Batch.Stream != batch.Stream || batch.Sequence > certificate.Batch.Sequence || Find(certificate)?.Base > batch.Sequence.Value)
        {
            Fail($"{NameOf(publisher)} took {batch} for certified by a certificate of {certificate.Batch}, which does not cover it.", publisher);
        }
    }

    public override void OnRecord(int witness, WitnessRecord record)
    {
        if (record is CertificateRecord { Certificate: var certificate })
        {
            Check(witness, certificate, "stored");
        }
    }

    public override void OnMended(int witness, VerifiedCertificate certificate) => Check(witness, certificate, "repaired what it stores with");

    public override void OnStored(int witness, StoredTip tip) => Check(witness, tip.Certificate, "showed as its tip");

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        VerifiedCertificate certificate = delivery.Range.Certificate;
        Check(receiver, certificate, "delivered by");
        BatchRef batch = certificate.Batch;
        while (batch.Sequence > delivery.Batch.Sequence && delivery.Range.Find(batch.Sequence) is { } link && Facts.Sightings.Statement(link.Statement.Bytes.Span) is { Previous: { } previous } seen && seen.Batch == batch)
        {
            batch = previous;
        }

        if (batch != delivery.Batch.Reference || Find(certificate)?.Base > batch.Sequence.Value)
        {
            Fail($"{NameOf(receiver)} delivered {delivery.Batch.Reference} by a certificate of {certificate.Batch}, which does not cover it.", receiver);
        }
    }

    public override void OnForked(int receiver, Fork fork)
    {
        Check(receiver, fork.Second.Certificate, "stopped by");
        if (fork.First is { } first)
        {
            Check(receiver, first.Certificate, "stopped by");
        }
    }

    private SeenCertificate? Find(VerifiedCertificate certificate) => Facts.Sightings.Certificate(certificate.Certificate.Bytes.Span);

    private void Check(int party, VerifiedCertificate certificate, string verb)
    {
        if (Find(certificate) is { } seen && seen.Batch == certificate.Batch)
        {
            Check(party, seen, verb);
        }
        else
        {
            Fail($"{NameOf(party)} {verb} a certificate that cannot be read.", party);
        }
    }

    private void Check(int party, SeenCertificate certificate, string verb)
    {
        if (!_sound.Add(certificate.Id))
        {
            return;
        }

        ulong signers = 0;
        int distinct = 0;
        foreach (SeenAck ack in certificate.Acks)
        {
            if (WhyUnsound(party, ack, certificate.Epoch) is { } reason)
            {
                Fail($"{NameOf(party)} {verb} a certificate of {certificate.Batch} with an ack {reason}.", party);
                return;
            }

            if ((signers & (1UL << ack.Witness)) != 0)
            {
                Fail($"{NameOf(party)} {verb} a certificate of {certificate.Batch} in which {NameOf(ack.Witness)} stands twice.", party);
                return;
            }

            signers |= 1UL << ack.Witness;
            distinct++;
        }

#if PLANTED
        distinct = Crypto.Planted.Is("canary-certificate-validity") ? 1 : distinct;
#endif
        int witnesses = Facts.Plan.Witnesses;
        int faulty = (witnesses - 1) / 3;

        // Two sets of this size share more than `faulty` witnesses, and one of one fewer need not.
        int needed = ((witnesses + faulty) / 2) + 1;
        if (distinct < needed)
        {
            Fail($"{NameOf(party)} {verb} a certificate of {certificate.Batch} with {distinct} acks; {needed} of {witnesses} are needed.", party);
        }
    }

    private string? WhyUnsound(int party, in SeenAck ack, uint epoch)
    {
        ulong sequence = ack.Batch.Sequence.Value;
        return ack.Witness >= Facts.Plan.Witnesses ? $"of witness {ack.Witness}, which there is not"
            : epoch != 0 ? $"of epoch {epoch}"
            : ack.Base > sequence || sequence - ack.Base >= (ulong)Facts.Plan.WindowSlots ? $"whose base {ack.Base} does not fit its slot (C1)"
            : !ack.IsPathSound ? $"of {NameOf(ack.Witness)} whose path leads nowhere"
            : Facts.IsCorrect(ack.Witness) && ack.Witness != party && !Facts.Sightings.IsShown(ack.Root) ? $"that {NameOf(ack.Witness)} never showed"
            : Facts.Sightings.IsSigned(ack.Root, ack.Signature) == false ? $"that {NameOf(ack.Witness)} did not sign so"
            : null;
    }
}
