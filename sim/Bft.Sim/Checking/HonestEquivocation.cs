using Bft.Protocol.Model;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// No correct witness ever claims two batches in one slot, along the ancestry of its acks, across restarts; it claims only what it acked, and its acks
/// rise without a hole (W1). No correct publisher sends two batches in one slot (P2); and none, though its journal be an old one, another where one was certified before it started (P7).
/// </summary>
internal sealed class HonestEquivocation : Checker
{
    private readonly Dictionary<(int Witness, Slot Slot), Crypto.Digest> _claims = [];
    private readonly HashSet<(int Witness, BatchRef Batch, ulong Base)> _seen = [];
    private readonly HashSet<(int Witness, BatchRef Batch)> _acked = [];
    private readonly Dictionary<(int Witness, StreamId Stream), Climb> _climbs = [];
    private readonly Dictionary<Slot, Crypto.Digest> _sent = [];
    private readonly Dictionary<Slot, Crypto.Digest> _certified = [];
    private readonly Dictionary<int, Dictionary<Slot, Crypto.Digest>> _forgotten = [];
    private ClaimWalk<(int Witness, BatchRef Ack)>? _walk;

    public override string Name => "honest-equivocation";

    private ClaimWalk<(int Witness, BatchRef Ack)> Walk => _walk ??= new ClaimWalk<(int Witness, BatchRef Ack)>(Facts, OnClaim);

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        SeenFrame seen = Facts.Sightings.Of(from, frame);
        if (_forgotten.TryGetValue(from, out Dictionary<Slot, Crypto.Digest>? forgotten) && seen.Batch is { Batch: var again }
            && forgotten.TryGetValue(again.Slot, out Crypto.Digest certified) && certified != again.Digest)
        {
            Fail($"{NameOf(from)} sent {again} with an old journal, where {certified.ToString()[..8]} was certified before it started (P7).", from);
        }

        if (!seen.IsEmpty && Facts.IsCorrect(from))
        {
            OnBatch(from, seen.Batch);
            if (Facts.IsWitness(from))
            {
                OnAcks(from, seen.Bundle?.Acks ?? []);
                foreach (SeenCertificate certificate in seen.Certificates)
                {
                    OnAcks(from, certificate.Acks);
                }
            }
        }

        Walk.Continue();
    }

    public override void OnRecord(int witness, WitnessRecord record)
    {
        switch (record)
        {
            case BatchRecord { Batch: var batch, AckBase: not null }:
                Facts.Sightings.Statement(batch.Statement.Statement.Bytes.Span);
                _acked.Add((witness, batch.Reference));
                OnAckRecord(witness, batch.Reference);
                break;
            case CertificateRecord { Certificate.Batch: var tip }:
                Climb climb = ClimbOf(witness, tip.Stream);
                climb.TipEnd = Math.Max(climb.TipEnd, tip.Sequence.Value + 1);
                break;
            default:
                break;
        }
    }

    public override void OnStarted(int party)
    {
        // What was not durable may be gone: the run begins somewhere between what surely was and what may have been.
        foreach (((int witness, StreamId _), Climb climb) in _climbs)
        {
            if (witness == party)
            {
                climb.RunEnd = 0;
            }
        }
    }

    private void OnBatch(int publisher, SeenStatement? batch)
    {
        if (batch is null || !Facts.IsPublisher(publisher))
        {
            return;
        }

        Crypto.Digest digest = batch.Batch.Digest;
        if (!_sent.TryAdd(batch.Batch.Slot, digest) && _sent[batch.Batch.Slot] != digest)
        {
            Fail($"{NameOf(publisher)} sent two batches in slot {batch.Batch.Slot} (P2).", publisher);
        }
        else if (Facts.PartyOf(batch.Publisher) != publisher)
        {
            Fail($"{NameOf(publisher)} sent {batch.Batch}, a batch of {NameOf(Facts.PartyOf(batch.Publisher))}.", publisher);
        }
    }

    private void OnAcks(int witness, SeenAck[] acks)
    {
        foreach (SeenAck ack in acks)
        {
            if (ack.Witness == witness && _seen.Add((witness, ack.Batch, ack.Base)))
            {
                Walk.Add((witness, ack.Batch), ack.Batch, ack.Base);
#if PLANTED
                if (Crypto.Planted.Is("canary-honest-equivocation"))
                {
                    OnClaim((witness, ack.Batch), ack.Batch with { Digest = Crypto.Sha256.Hash([1]) });
                }
#endif
            }
        }
    }

    private void OnClaim((int Witness, BatchRef Ack) claim, BatchRef batch)
    {
        if (!_claims.TryAdd((claim.Witness, batch.Slot), batch.Digest) && _claims[(claim.Witness, batch.Slot)] is var first && first != batch.Digest)
        {
            Fail($"{NameOf(claim.Witness)} claims {batch.Digest.ToString()[..8]} in slot {batch.Slot} by its ack of {claim.Ack}, where it claimed {first.ToString()[..8]} before.", claim.Witness);
        }
        else if (!_acked.Contains((claim.Witness, batch)))
        {
            Fail($"{NameOf(claim.Witness)} claims {batch} by its ack of {claim.Ack}, and never acked it (W1).", claim.Witness);
        }
    }

    /// <summary>Within a run acks rise by one, or begin anew right above what is covered.</summary>
    private void OnAckRecord(int witness, BatchRef batch)
    {
        Climb climb = ClimbOf(witness, batch.Stream);
        ulong sequence = batch.Sequence.Value;
        if (Facts.IsCorrect(witness) && (sequence < climb.RunEnd || sequence < climb.CertainTipEnd))
        {
            Fail($"{NameOf(witness)} acks {batch} after it acked or stored all below slot {Math.Max(climb.RunEnd, climb.CertainTipEnd)}: acks only rise (W1).", witness);
        }

        if (Facts.IsCorrect(witness) && Facts.Plan.RetainBytes == 0 && sequence > Math.Max(climb.End, climb.TipEnd))
        {
            Fail($"{NameOf(witness)} acks {batch} and leaves slot {sequence - 1} open (W1).", witness);
        }

        climb.RunEnd = sequence + 1;
        climb.End = Math.Max(climb.End, sequence + 1);
    }

    public override void OnJournalLost(int publisher, bool isOld)
    {
        if (isOld)
        {
            _forgotten[publisher] = new Dictionary<Slot, Crypto.Digest>(_certified);
        }
    }

    public override void OnStored(int witness, StoredTip tip)
    {
        BatchRef batch = tip.Certificate.Batch;
        _certified.TryAdd(batch.Slot, batch.Digest);
        Climb climb = ClimbOf(witness, batch.Stream);
        climb.CertainTipEnd = Math.Max(climb.CertainTipEnd, batch.Sequence.Value + 1);
        climb.TipEnd = Math.Max(climb.TipEnd, climb.CertainTipEnd);
    }

    private Climb ClimbOf(int witness, StreamId stream)
    {
        if (!_climbs.TryGetValue((witness, stream), out Climb? climb))
        {
            climb = new Climb();
            _climbs.Add((witness, stream), climb);
        }

        return climb;
    }

    /// <summary>How far one witness's acks and certificates in a stream reach: each one above the highest.</summary>
    private sealed class Climb
    {
        /// <summary>Acked in this run.</summary>
        public ulong RunEnd { get; set; }

        /// <summary>Acked ever.</summary>
        public ulong End { get; set; }

        /// <summary>Certificates recorded.</summary>
        public ulong TipEnd { get; set; }

        /// <summary>Certificates shown as stored.</summary>
        public ulong CertainTipEnd { get; set; }
    }
}
