using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// What a Byzantine witness tells a correct publisher in place of an ack or of what it holds (P6, P7), and a correct receiver in place of what it subscribed to: all genuine, and none of it
/// proves what it is shown for.
/// </summary>
internal sealed class FalseAnswers(SimulatedCluster cluster, ISigner own)
{
    private static readonly RefusalReason[] Final = [RefusalReason.NotAllowed, RefusalReason.ProvenFaulty, RefusalReason.BadSignature, RefusalReason.OverLimit, RefusalReason.UnknownTopic];

    /// <summary>The lie and what it is; null when nothing fits this frame.</summary>
    /// <param name="frame">The truth.</param>
    /// <param name="store">What the liar has stored.</param>
    /// <param name="lot">Decides.</param>
    public (IFrame Frame, string What)? Of(IFrame frame, BatchStore store, ref Lot lot) => frame switch
    {
        AcksFrame acks when AckBundle.TryParse(cluster.Committee.Cluster, acks.Bundle.Span, out AckBundle? bundle) => Refusal(bundle.Leaves[^1].Statement.Batch, store, ref lot),
        StandingFrame standing => Recall(standing, store, ref lot),
        _ => null,
    };

    /// <summary>Frames for a reader, and what they are: another topic's range, or a range that goes on below its certificate's base.</summary>
    public static (IReadOnlyList<IFrame> Frames, string What)? Of(CertifiedFrame certified, Topic topic, BatchStore store, ref Lot lot)
    {
        if (lot.Below(2) == 0)
        {
            StreamLog[] others = [.. store.Streams.Where(log => log.Header.Topic != topic && log.RangeFrom(log.Floor) is not null)];
            return others.Length == 0 ? null : (Served(lot.Of(others)), "serves another topic");
        }

        return QuorumCertificate.TryParse(certified.Certificate.Span, out QuorumCertificate? certificate) && !certificate.Base.IsFirst && certified.Statements.Count > 0
            && store.TryFind(certificate.Batch.Stream, out StreamLog? log) && log.FirstKept < certificate.Base && certificate.Base <= log.End
            ? ([certified with { Statements = [.. Statements(log, log.FirstKept, certificate.Base.Preceding), .. Statements(log, certificate.Base, certificate.Batch.Sequence)] }], "serves what its certificate does not cover")
            : null;
    }

    private static IFrame[] Served(StreamLog log)
    {
        StoredRange range = log.RangeFrom(log.Floor)!.Value;
        List<IFrame> frames = [new CertifiedFrame(log.ReadCertificate(range), [.. Statements(log, range.From, range.To)])];
        for (Sequence slot = range.From; slot <= range.To; slot = slot.Following)
        {
            byte[] body = new byte[log.BodyLength(slot)];
            log.ReadBody(slot, body);
            frames.Add(new BodyFrame(new Slot(log.Header.Id, slot), body));
        }

        return [.. frames];
    }

    private static IEnumerable<SignedStatement> Statements(StreamLog log, Sequence from, Sequence to)
    {
        for (Sequence slot = from; slot <= to && slot < log.End; slot = slot.Following)
        {
            yield return log.ReadStatement(slot);
        }
    }

    private (IFrame Frame, string What)? Refusal(BatchRef acked, BatchStore store, ref Lot lot)
    {
        RefusalFrame refusal = new(acked.Slot, RefusalReason.Conflict);
        StreamLog? log = store.TryFind(acked.Stream, out StreamLog? found) ? found : null;
        switch (lot.Below(6))
        {
            case 0:
                return (refusal with { Reason = RefusalReason.Full }, "says that it is full");
            case 1:
                return (refusal with { Reason = RefusalReason.Retired }, "says that the incarnation is retired");
            case 2:
                return (refusal with { Reason = lot.Of(Final) }, "refuses for good");
            case <= 4 when log?.End > log?.FirstKept:
                Sequence lower = new((ulong)lot.Between((long)log.FirstKept.Value, (long)log.End.Preceding.Value));
                return (refusal with { Original = log.ReadStatement(lower) }, "shows an original of a lower slot");
            default:
                return log is null ? null : (refusal with { Original = Forged(log.Header, acked.Sequence) }, "shows an original that it signed itself");
        }
    }

    /// <summary>Nothing, or batches of other publishers, as if the one that asks had made them.</summary>
    private static (IFrame Frame, string What)? Recall(StandingFrame standing, BatchStore store, ref Lot lot)
    {
        if (lot.Below(2) == 0)
        {
            return (standing with { Originals = [], Certificates = [] }, "recalls nothing of the publisher");
        }

        StreamLog[] others = [.. store.Streams.Where(log => log.Tip is not null && log.End > log.FirstKept)];
        if (others.Length == 0)
        {
            return null;
        }

        StreamLog other = lot.Of(others);
        return (standing with
        {
            Originals = [.. standing.Originals, other.ReadStatement(other.End.Preceding)],
            Certificates = [.. standing.Certificates, other.TryReadTip(out VerifiedCertificate? tip) ? tip.Certificate.Bytes : default],
        }, "recalls another's batches");
    }

    private SignedStatement Forged(StreamHeader header, Sequence sequence)
    {
        BatchStatement statement = BatchStatement.Create(header, sequence, sequence.IsFirst ? default : Ancestor.Previous(default), Branch.BodyOf(cluster, [1], out _));
        return new SignedStatement(statement.Bytes, own.Sign(statement.Bytes.Span));
    }
}
