using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// No correct party is ever named as faulty, by evidence, fork or refusal; and where two correct parties took different batches of one slot for
/// certified, the evidence in the end names at least f + 1 witnesses.
/// </summary>
internal sealed class Accountability : Checker
{
    private readonly Dictionary<Slot, Digest> _certified = [];
    private readonly Dictionary<StreamId, PublicKey> _publishers = [];
    private readonly SortedSet<int> _named = [];
    private readonly Dictionary<(object Collector, int Witness, Slot Slot), Digest> _counted = [];
    private readonly HashSet<(int Party, int Witness)> _known = [];
    private string? _conflict;

    public override string Name => "accountability";

    public override void OnBroadcast(int publisher, VerifiedBatch batch) => _publishers.TryAdd(batch.Reference.Stream, batch.Statement.Statement.Header.Publisher);

    public override void OnCovered(int publisher, BatchRef batch, VerifiedCertificate certificate) => OnCertified(batch, publisher);

    public override void OnStored(int witness, StoredTip tip) => OnCertified(tip.Certificate.Batch, witness);

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat) => OnCertified(delivery.Batch.Reference, receiver);

    public override void OnEvidence(int party, VerifiedEvidence evidence)
    {
        SeenEvidence? seen = Facts.Sightings.Evidence(evidence.Evidence.Encode());
        _known.Add((party, evidence.Witness?.Value ?? -1));
        Judge(party, seen, "holds");
        if (seen is not null && seen.Witness != (evidence.Witness?.Value ?? -1))
        {
            Fail($"{NameOf(party)} holds evidence against {evidence.Offender} that names another.", party);
        }
    }

    /// <summary>Who was shown two acks of one witness in one slot holds evidence against it (C2).</summary>
    public override void OnAcksCounted(int witness, IReadOnlyList<CountedAck> acks)
    {
        foreach ((VerifiedAck ack, object collector) in acks)
        {
            int other = ack.Witness.Value;
            if (!_counted.TryAdd((collector, other, ack.Batch.Slot), ack.Batch.Digest)
                && _counted[(collector, other, ack.Batch.Slot)] != ack.Batch.Digest && other != witness && !_known.Contains((witness, other)))
            {
                Fail($"{NameOf(witness)} was shown two acks of {NameOf(other)} in slot {ack.Batch.Slot}, and holds no evidence (C2).", witness, other);
            }
        }
    }

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        if (frame is RefusalFrame { Reason: RefusalReason.ProvenFaulty } refusal && Facts.IsCorrect(from)
            && _publishers.TryGetValue(refusal.Slot.Stream, out PublicKey key) && Facts.PartyOf(key) is var publisher and >= 0 && Facts.IsCorrect(publisher))
        {
            Fail($"{NameOf(from)} refuses {NameOf(publisher)}, which is correct, as proven faulty.", from, publisher);
        }
        else if (frame is EvidenceFrame && Facts.IsCorrect(from))
        {
            Judge(from, Facts.Sightings.Of(from, frame).Evidence, "sent");
        }
    }

    /// <summary>D31 and the like: no correct witness sends what does not verify, or another list than it told.</summary>
    public override void OnMisbehaved(int client, int witness, string what)
    {
        // An old message that comes again on another call is none of its.
        if (Facts.IsCorrect(witness) && Facts.Plan.OldDuplicatePpm == 0)
        {
            Fail($"{NameOf(client)} says of {NameOf(witness)}, which is correct: {what}", client, witness);
        }
    }

    /// <summary>P6: a correct publisher with its journal is never told that it lost it or that its key was copied, nor refused for good.</summary>
    public override void OnPublisherEnded(int publisher, string why)
    {
        if (Facts.IsCorrect(publisher))
        {
            Fail($"{NameOf(publisher)}, which is correct, gave up: {why}", publisher);
        }
    }

    public override void OnForked(int receiver, Fork fork)
    {
        if (fork.First is not { } first)
        {
            return;
        }

        BatchRef? ours = ClaimOf(first, fork.Slot);
        BatchRef? theirs = ClaimOf(fork.Second, fork.Slot);
        if (ours is null || theirs is null || ours == theirs)
        {
            Fail($"{NameOf(receiver)} stopped at a fork in slot {fork.Slot} that its certificates do not show.", receiver);
            return;
        }

        SeenCertificate? left = Facts.Sightings.Certificate(first.Certificate.Certificate.Bytes.Span);
        SeenCertificate? right = Facts.Sightings.Certificate(fork.Second.Certificate.Certificate.Bytes.Span);
        foreach (SeenAck ack in left?.Acks ?? [])
        {
            if (ack.Base <= fork.Slot.Sequence.Value && Array.Exists(right?.Acks ?? [], other => other.Witness == ack.Witness && other.Base <= fork.Slot.Sequence.Value))
            {
                NameWitness(receiver, ack.Witness, "shows by a fork");
            }
        }
    }

    /// <summary>Who was shown which side learns of the other from the correct ones, and that takes a moment.</summary>
    public override bool IsSettled => _conflict is null || _named.Count >= LiarsMin;

    public override void OnEnd()
    {
        if (IsSettled)
        {
            return;
        }

        if (Facts.Plan.Byzantine.Count >= Facts.Plan.Witnesses - LiarsMin + 1)
        {
            // A receiver watches n − f witnesses (R4). When as many lie, they may be the ones, and it never meets a correct witness.
            Excuse("as many liars as a receiver watches");
        }
        else
        {
            Fail($"{_conflict}, and the evidence names {_named.Count} witnesses where at least {LiarsMin} must have lied.");
        }
    }

    private int LiarsMin => ((Facts.Plan.Witnesses - 1) / 3) + 1;

    private void Judge(int party, SeenEvidence? evidence, string verb)
    {
        int offender = evidence is null ? -1 : evidence.Publisher is { } key ? Facts.PartyOf(key) : evidence.Witness;
#if PLANTED
        offender = Planted.Is("canary-accountability") ? party : offender;
#endif
        if (evidence is null || evidence.First.Slot != evidence.Second.Slot || evidence.First.Digest == evidence.Second.Digest)
        {
            Fail($"{NameOf(party)} {verb} evidence that shows no fault.", party);
        }
        else if (evidence.Witness >= 0)
        {
            NameWitness(party, offender, verb + " evidence against");
        }
        else if (offender >= 0 && Facts.IsCorrect(offender))
        {
            Fail($"{NameOf(party)} {verb} evidence against {NameOf(offender)}, which is correct.", party, offender);
        }
    }

    private void NameWitness(int party, int witness, string verb)
    {
        if (witness >= Facts.Parties.Count || Facts.IsCorrect(witness))
        {
            Fail($"{NameOf(party)} {verb} {NameOf(witness)}, which is correct.", party, witness);
            return;
        }

        _named.Add(witness);
    }

    private void OnCertified(BatchRef batch, int party)
    {
        if (!_certified.TryAdd(batch.Slot, batch.Digest) && _certified[batch.Slot] != batch.Digest && _conflict is null)
        {
            _conflict = $"{NameOf(party)} and another took different batches of slot {batch.Slot} for certified";
        }
    }

    private BatchRef? ClaimOf(CertifiedClaim claim, Slot slot)
    {
        BatchRef? batch = claim.Certificate.Batch;
        foreach (VerifiedStatement link in claim.Chain)
        {
            SeenStatement? statement = Facts.Sightings.Statement(link.Statement.Bytes.Span);
            batch = statement is not null && statement.Batch == batch ? statement.Previous : null;
        }

        return batch?.Slot == slot ? batch : null;
    }
}
