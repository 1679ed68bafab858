using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>Makes a frame another one that differs in one thing: a small lie.</summary>
internal sealed class FrameBender(Committee committee, AckForge forge)
{
    private readonly CertificateBender _certificates = new(committee);

    /// <summary>The lie and what it is; null when this frame has no lie of its own.</summary>
    public (IFrame Frame, string What)? Bend(IFrame frame, ref Lot lot) => frame switch
    {
        AcksFrame acks when AckBundle.TryParse(committee.Cluster, acks.Bundle.Span, out AckBundle? bundle) => Bend(bundle, ref lot),
        TipFrame tip when QuorumCertificate.TryParse(tip.Certificate.Span, out QuorumCertificate? certificate) =>
            _certificates.Bend(certificate, ref lot) is var (bent, what) ? (new TipFrame(bent), what) : null,
        CertifiedFrame certified => Bend(certified, ref lot),
        BodyFrame body => Bend(body, ref lot),
        FetchedFrame fetched => lot.Below(3) switch
        {
            0 => (fetched with { Highest = null }, "says it has none"),
            1 => (fetched with { IsUnknownStream = true, Highest = null }, "hides a stream"),
            _ => (fetched with { Highest = fetched.Highest is { } highest ? SmallLies.Moved(highest, ref lot) : Sequence.Zero }, "names another highest slot"),
        },
        FetchFrame fetch => lot.Below(2) == 0
            ? (fetch with { From = SmallLies.Moved(fetch.From, ref lot), To = new Sequence(Sequence.MaxValue) }, "asks for everything")
            : (fetch with { Stream = new StreamId(SmallLies.Bent(fetch.Stream.Digest)) }, "asks for a stream that is none"),
        FloorFrame floor => (floor with { Slot = Moved(floor.Slot, ref lot) }, "names another floor"),
        RefusalFrame refusal => lot.Below(3) switch
        {
            0 => (refusal with { Reason = (RefusalReason)lot.Below(16) }, "refuses for another reason"),
            1 => (refusal with { Original = null, Acks = default, Certificate = default }, "refuses without proof"),
            _ => (refusal with { Slot = Moved(refusal.Slot, ref lot) }, "refuses another slot"),
        },
        StandingFrame standing => lot.Below(2) == 0
            ? (standing with { Originals = [], Certificates = [] }, "recalls nothing of the publisher")
            : (standing with { Originals = [.. standing.Originals.Skip(1)] }, "withholds an original"),
        RecallFrame => (new RecallFrame(default), "recalls nothing"),
        EvidenceFrame evidence when !evidence.Proof.IsEmpty => (new EvidenceFrame(SmallLies.Flipped(evidence.Proof, ref lot)), "shows bent evidence"),
        EndFrame => (new EndFrame((EndReason)lot.Below(9), "lie"), "ends for another reason"),
        _ => null,
    };

    private static Slot Moved(Slot slot, ref Lot lot) => slot with { Sequence = SmallLies.Moved(slot.Sequence, ref lot) };

    /// <summary>Mostly signed anew with its own key, so that it holds: a lie, not noise.</summary>
    private (IFrame Frame, string What) Bend(AckBundle bundle, ref Lot lot)
    {
        AckStatement[] claims = [.. bundle.Leaves.Select(leaf => leaf.Statement)];
        AckRootStatement root = bundle.Root;
        int at = lot.Below(claims.Length);
        AckStatement claim = claims[at];
        string what;
        switch (lot.Below(8))
        {
            case 0:
                claims[at] = claim with { Batch = claim.Batch with { Sequence = SmallLies.Moved(claim.Batch.Sequence, ref lot) } };
                what = "acks another slot";
                break;
            case 1:
                claims[at] = claim with { Base = SmallLies.Moved(claim.Base, ref lot) };
                what = "acks from another base";
                break;
            case 2:
                claims[at] = claim with { Base = Sequence.Zero };
                what = "acks from base 0";
                break;
            case 3:
                claims[at] = claim with { Batch = claim.Batch with { Digest = SmallLies.Bent(claim.Batch.Digest) } };
                what = "acks a digest that is none";
                break;
            case 4:
                root = root with { Epoch = new Epoch(1) };
                what = "acks in another epoch";
                break;
            case 5:
                root = root with { Run = new Protocol.Model.Run(root.Run.Value ^ 1) };
                what = "acks in a run that is none";
                break;
            case 6:
                root = root with { Mark = new Mark(root.Mark.Value ^ 1) };
                what = "acks under another mark";
                break;
            default:
                root = root with { Witness = new WitnessIndex((root.Witness.Value + 1) % committee.Size.Count) };
                what = "acks in another's name";
                break;
        }

        AckBundle bent = lot.Below(4) > 0
            ? forge.Sign(root, claims)
            : new AckBundle(root, bundle.Signature, [.. bundle.Leaves.Select((leaf, i) => leaf with { Statement = claims[i] })]);
        return (new AcksFrame(bent.Encode()), what);
    }

    private (IFrame Frame, string What)? Bend(CertifiedFrame certified, ref Lot lot)
    {
        if (!QuorumCertificate.TryParse(certified.Certificate.Span, out QuorumCertificate? certificate))
        {
            return null;
        }

        int kind = lot.Below(6);
        if (kind < 2 && certified.Statements.Count > 0)
        {
            int at = lot.Below(certified.Statements.Count);
            List<SignedStatement> statements = [.. certified.Statements];
            if (kind == 0)
            {
                statements[at] = statements[at] with { Bytes = SmallLies.Flipped(statements[at].Bytes, ref lot) };
                return (certified with { Statements = statements }, "shows a bent statement");
            }

            statements.RemoveAt(at);
            return (certified with { Statements = statements }, "leaves a statement out");
        }

        if (kind == 2)
        {
            return (new FloorFrame(new Slot(certificate.Batch.Stream, certificate.Batch.Sequence.Following), certified.Certificate), "lies about a floor");
        }

        (ReadOnlyMemory<byte> bytes, string what) = _certificates.Bend(certificate, ref lot);
        return (certified with { Certificate = bytes }, what);
    }

    private static (IFrame Frame, string What) Bend(BodyFrame body, ref Lot lot) => lot.Below(4) switch
    {
        0 => (new BodyFrame(body.Slot, ReadOnlyMemory<byte>.Empty), "an empty body"),
        1 => (new BodyFrame(body.Slot, (byte[])[.. body.Body.Span, 0]), "a body with a byte behind"),
        2 => (new BodyFrame(Moved(body.Slot, ref lot), body.Body.ToArray()), "a body for another slot"),
        _ => (new BodyFrame(body.Slot, SmallLies.Flipped(body.Body, ref lot)), "another body"),
    };
}
