using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// What is certified is never lost, though all crash and restart; and nothing is shown before it cannot be lost: no ack, refusal or tip whose record
/// is not on its witness's disk (W1, W7), no batch that is not in its publisher's journal (P2).
/// </summary>
internal sealed class Durability : Checker
{
    private readonly SortedDictionary<StreamId, SortedDictionary<ulong, Promised>> _promised = [];
    private readonly Dictionary<(int Witness, StreamId Stream), Sequence> _shownTips = [];
    private readonly Dictionary<(int Witness, StreamId Stream), ulong> _recordedEnds = [];
    private readonly SortedDictionary<int, RecordLog> _logs = [];
    private readonly HashSet<(int From, int Bundle)> _bundles = [];
    private readonly HashSet<(int From, int Certificate)> _certificates = [];
    private readonly HashSet<BatchRef> _journaled = [];
    private readonly Dictionary<int, List<BatchRef>> _made = [];

    private static readonly Comparer<BatchRef> BySlot = Comparer<BatchRef>.Create((left, right) => (left.Stream.ToString(), left.Sequence).CompareTo((right.Stream.ToString(), right.Sequence)));

    public override string Name => "durability";

    public override bool HoldsBeyondModel => false;

    public override void OnRecord(int witness, WitnessRecord record)
    {
        LogOf(witness).Append(record);
        BatchRef? tip = record switch { CertificateRecord certificate => certificate.Certificate.Batch, JumpRecord jump => jump.Certificate.Batch, _ => null };
        if (tip is { } recorded)
        {
            ulong end = _recordedEnds.GetValueOrDefault((witness, recorded.Stream));
            _recordedEnds[(witness, recorded.Stream)] = Math.Max(end, recorded.Sequence.Value + 1);
            if (record is CertificateRecord { Certificate: var kept } && kept.Base.Value > end)
            {
                Fail($"{NameOf(witness)} stores the certificate of {recorded}, and none that covers slot {end} (S1).", witness);
            }
        }

        if (record is BatchRecord { Batch.Statement.Statement: var statement })
        {
            Facts.Sightings.Statement(statement.Bytes.Span);
        }
    }

    /// <summary>
    /// Of these a witness shows more than its role ever recorded: the certificate of slot 1, which reached down to slot 0, rots, a peer has one of each slot instead, and from then on slot 0 is served with its own.
    /// </summary>
    public override void OnMended(int witness, VerifiedCertificate certificate) => LogOf(witness).Append(new CertificateRecord(certificate));

    public override void OnSealed(int witness, ulong mark) => LogOf(witness).Seal(mark);

    public override void OnDurable(int witness, ulong mark)
    {
#if PLANTED
        if (Planted.Is("canary-durability"))
        {
            return;
        }
#endif
        LogOf(witness).Durable(mark);
    }

    public override void OnJournaled(int publisher, BatchRef batch) => _journaled.Add(batch);

    public override void OnBroadcast(int publisher, VerifiedBatch batch)
    {
        _made.TryAdd(publisher, []);
        _made[publisher].Add(batch.Reference);
    }

    public override void OnCrashed(int party)
    {
        if (Facts.IsWitness(party))
        {
            LogOf(party).Crash();
        }

        // What was not durable may have been kept: after the restart the journal is what it is.
        _journaled.UnionWith(_made.GetValueOrDefault(party) ?? []);
    }

    public override void OnCovered(int publisher, BatchRef batch, VerifiedCertificate certificate) => Promise(batch, publisher);

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        Facts.Sightings.Statement(delivery.Batch.Statement.Statement.Bytes.Span);
        Promise(delivery.Batch.Reference, receiver);
    }

    public override void OnStored(int witness, StoredTip tip)
    {
        BatchRef batch = tip.Certificate.Batch;
        Promise(batch, witness);
        _shownTips[(witness, batch.Stream)] = batch.Sequence;
        if (!LogOf(witness).HasCertificate(batch))
        {
            Fail($"{NameOf(witness)} raised its tip to {batch} before the certificate's record was durable (W7).", witness);
        }

        // Bodies below a floor that it adopted are never stored (S3).
        for (BatchRef? below = batch; Facts.Plan.RetainBytes == 0 && below is { } stored && stored.Sequence >= tip.From; below = Facts.Sightings.Find(stored.Digest)?.Previous)
        {
            if (!LogOf(witness).HasBatch(stored))
            {
                Fail($"{NameOf(witness)} raised its tip to {batch} before the body of {stored} was durable (W7).", witness);
                return;
            }
        }
    }

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        if (!Facts.IsCorrect(from))
        {
            return;
        }

        SeenFrame seen = Facts.Sightings.Of(from, frame);
        if (seen.Batch is { } batch && _made.ContainsKey(from) && !_journaled.Contains(batch.Batch))
        {
            Fail($"{NameOf(from)} sent {batch.Batch} before its journal held it (P2).", from);
        }

        if (seen.IsEmpty || !Facts.IsWitness(from))
        {
            return;
        }

        if (seen.Bundle is { } bundle && bundle.Root.Witness == from && _bundles.Add((from, bundle.Id)))
        {
            foreach (SeenAck ack in bundle.Acks)
            {
                CheckAck(from, ack);
            }
        }

        // Bodies below a floor that it adopted are never stored (S3).
        if (Facts.Plan.RetainBytes == 0 && seen.Originals.Append(seen.Batch).FirstOrDefault(shown => shown is not null && !LogOf(from).HasBatch(shown.Batch)) is { } early)
        {
            Fail($"{NameOf(from)} showed the original of {early.Batch} before its record was durable (W1).", from);
        }

        foreach (SeenCertificate certificate in seen.Certificates)
        {
            if (_certificates.Add((from, certificate.Id)))
            {
                CheckCertificate(from, certificate, frame);
            }
        }
    }

    public override void OnStarted(int party)
    {
        foreach (((int witness, StreamId stream), Sequence shown) in _shownTips)
        {
            if (witness == party && Facts.IsCorrect(party) && (Facts.StoredTip(party, stream) is not { } tip || tip.Sequence < shown))
            {
                Fail($"{NameOf(party)} came back without slot {shown} of {stream}, which it had shown as stored.", party);
            }
        }

        if (Facts.IsWitness(party) && Facts.IsCorrect(party)
            && LogOf(party).SureAcks.Where(batch => !Facts.RemembersAck(party, batch)).Order(BySlot).Cast<BatchRef?>().FirstOrDefault() is { } forgotten)
        {
            Fail($"{NameOf(party)} came back without its ack of {forgotten}, which was durable (W1, W9).", party);
        }
    }

    /// <summary>Only the last commit may be taken for torn; damage below it is no reason to forget what follows (W9).</summary>
    public override void OnDamagedStart(int witness, ulong mark, ulong durable)
    {
        if (mark < durable)
        {
            Fail($"{NameOf(witness)} forgot what its damaged journal held above commit {mark}, up to {durable}: it must stop instead (W9).", witness);
        }
    }

    /// <summary>Every witness of the core stores what was promised.</summary>
    public override bool IsSettled
    {
        get
        {
            for (int party = 0; party < Facts.Parties.Count; party++)
            {
                if (Facts.IsWitness(party) && Facts.IsInCore(party) && _promised.Any(promised => Highest(promised.Value) is { } last && LacksTip(party, promised.Key, last.Slot)))
                {
                    return false;
                }
            }

            return true;
        }
    }

    public override void OnEnd()
    {
        for (int party = 0; party < Facts.Parties.Count; party++)
        {
            if (!Facts.IsWitness(party) || !Facts.IsInCore(party))
            {
                continue;
            }

            foreach ((StreamId stream, SortedDictionary<ulong, Promised> promised) in _promised)
            {
                CheckKept(party, stream, promised);
            }
        }
    }

    private void CheckAck(int witness, in SeenAck ack)
    {
        RecordLog log = LogOf(witness);
        if (!log.HasRun(ack.Root.Run))
        {
            Fail($"{NameOf(witness)} showed an ack of {ack.Batch} from a run whose record is not durable (W1).", witness);
        }
        else if (!log.HasAck(ack.Batch))
        {
            Fail($"{NameOf(witness)} showed its ack of {ack.Batch} before the record was durable (W1).", witness);
        }
    }

    private void CheckCertificate(int witness, SeenCertificate certificate, IFrame frame)
    {
        foreach (SeenAck ack in certificate.Acks)
        {
            if (ack.Witness == witness)
            {
                CheckAck(witness, ack);
            }
        }

        if (frame is TipFrame or CertifiedFrame && !LogOf(witness).HasCertificate(certificate.Batch))
        {
            Fail($"{NameOf(witness)} showed the certificate of {certificate.Batch} before its record was durable (W7).", witness);
        }
    }

    private void CheckKept(int witness, StreamId stream, SortedDictionary<ulong, Promised> promised)
    {
        if (Highest(promised) is not { } highest)
        {
            return;
        }

        if (LacksTip(witness, stream, highest.Slot) || Facts.StoredTip(witness, stream) is not { } tip)
        {
            Fail($"{NameOf(witness)} does not store slot {highest.Slot} of {stream}, which {NameOf(highest.By)} held for certified.", witness);
            return;
        }

        for (BatchRef? stored = tip; stored is { } batch; stored = Facts.Sightings.Find(batch.Digest)?.Previous)
        {
            if (promised.TryGetValue(batch.Sequence.Value, out Promised? kept) && kept.Digest != batch.Digest)
            {
                Fail($"{NameOf(witness)} stores {batch} where {NameOf(kept.By[0])} held {kept.Digest.ToString()[..8]} for certified.", witness);
                return;
            }
        }
    }

    private bool LacksTip(int witness, StreamId stream, ulong highest) => Facts.StoredTip(witness, stream) is not { } tip || tip.Sequence.Value < highest;

    private void Promise(BatchRef batch, int by)
    {
        if (!_promised.TryGetValue(batch.Stream, out SortedDictionary<ulong, Promised>? slots))
        {
            slots = [];
            _promised.Add(batch.Stream, slots);
        }

        if (!slots.TryGetValue(batch.Sequence.Value, out Promised? promised))
        {
            promised = new Promised(batch.Digest, []);
            slots.Add(batch.Sequence.Value, promised);
        }

        if (!promised.By.Contains(by))
        {
            promised.By.Add(by);
        }
    }

    /// <summary>The highest slot that somebody in the core holds for certified. What only a witness knows whom the core never hears again is not lost: that witness has it.</summary>
    private (ulong Slot, int By)? Highest(SortedDictionary<ulong, Promised> promised)
    {
        foreach ((ulong slot, Promised by) in promised.Reverse())
        {
            if (by.By.Find(Facts.IsInCore) is var party && by.By.Exists(Facts.IsInCore))
            {
                return (slot, party);
            }
        }

        return null;
    }

    private RecordLog LogOf(int witness)
    {
        if (!_logs.TryGetValue(witness, out RecordLog? log))
        {
            log = new RecordLog();
            _logs.Add(witness, log);
        }

        return log;
    }

    /// <summary>A certified batch, and who held it for certified.</summary>
    private sealed record Promised(Digest Digest, List<int> By);
}
