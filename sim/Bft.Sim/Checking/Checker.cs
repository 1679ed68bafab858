using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>Watches a run from outside, with arithmetic and a log of its own, and says when a property does not hold.</summary>
/// <remarks>
/// Parties are indices into <see cref="RunFacts.Parties"/>. What Byzantine parties send, claim or deliver is not shown, but for
/// <see cref="OnSent"/>: messages of all parties pass there, with the sender's standing in <see cref="RunFacts"/>.
/// </remarks>
internal abstract class Checker
{
    /// <summary>As it stands in reports: "consistency", "order", …</summary>
    public abstract string Name { get; }

    /// <summary>Who takes part. Set before the first event.</summary>
    public RunFacts Facts { get; set; } = null!;

    /// <summary>Takes a finding. Set before the first event.</summary>
    public Action<Violation> Report { get; set; } = null!;

    /// <summary>The property holds however many parties are faulty; one that does not is not reported beyond the model, only counted.</summary>
    public virtual bool HoldsBeyondModel => true;

    /// <summary>The first finding of what the model does not promise with so many faulty: the positive control must see one. Null when there is none.</summary>
    public Violation? Expected { get; private set; }

    /// <summary>Why something that did not happen is no violation, counted by name.</summary>
    public SortedDictionary<string, long> Excuses { get; } = new(StringComparer.Ordinal);

    /// <summary>A correct publisher's batch was made: from now on it counts as broadcast, if the publisher's journal keeps it.</summary>
    public virtual void OnBroadcast(int publisher, VerifiedBatch batch)
    {
    }

    /// <summary>A correct publisher's journal holds this batch durably: nothing of it may leave before (P2).</summary>
    public virtual void OnJournaled(int publisher, BatchRef batch)
    {
    }

    /// <summary>A correct publisher took a publish for complete (P5).</summary>
    public virtual void OnCovered(int publisher, BatchRef batch, VerifiedCertificate certificate)
    {
    }

    /// <summary>A message left; once per addressee, the frame object is the same for all who get the same bytes.</summary>
    public virtual void OnSent(int from, int to, IFrame frame, int bytes)
    {
    }

    /// <summary>A witness's run appended a record; durable when <see cref="OnDurable"/> says so.</summary>
    public virtual void OnRecord(int witness, WitnessRecord record)
    {
    }

    /// <summary>
    /// A witness's run appended a certificate of slots that it stores, in place of one that its disk gave back wrong (D49). It need not be the one that was lost, and no role made a record of it.
    /// Durable when <see cref="OnDurable"/> says so.
    /// </summary>
    public virtual void OnMended(int witness, VerifiedCertificate certificate)
    {
    }

    /// <summary>The records appended so far by this witness's run, and not in an earlier commit, are the commit with this mark.</summary>
    public virtual void OnSealed(int witness, ulong mark)
    {
    }

    /// <summary>
    /// The records of this commit, and of all before it in this run, are on the disk (when it was never named by <see cref="OnSealed"/>: all appended so far).
    /// Ask the simulated disk rather than the witness.
    /// </summary>
    public virtual void OnDurable(int witness, ulong mark)
    {
    }

    /// <summary>A correct witness shows a stored tip (W7).</summary>
    public virtual void OnStored(int witness, StoredTip tip)
    {
    }

    /// <summary>A correct receiver's application was given a batch.</summary>
    public virtual void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
    }

    /// <summary>A correct receiver's application committed its cursor: that batch must not come again.</summary>
    public virtual void OnCommitted(int receiver, StreamId stream, Sequence next)
    {
    }

    /// <summary>A correct receiver skipped slots below a floor that it accepted (R4).</summary>
    public virtual void OnSkipped(int receiver, Skipped skipped)
    {
    }

    /// <summary>A correct receiver saw two certificates that conflict, and stopped (R1, R4).</summary>
    public virtual void OnForked(int receiver, Fork fork)
    {
    }

    /// <summary>A correct party holds evidence.</summary>
    public virtual void OnEvidence(int party, VerifiedEvidence evidence)
    {
    }

    /// <summary>A correct witness took acks of others that it must count, and has decided what follows.</summary>
    public virtual void OnAcksCounted(int witness, IReadOnlyList<CountedAck> acks)
    {
    }

    /// <summary>A witness replayed its journal; its run begins.</summary>
    /// <param name="witness">Not a Byzantine one; its disk may have lost what was durable.</param>
    /// <param name="mark">The last commit that is on the disk.</param>
    /// <param name="isDiskLost">The disk was wiped or rolled back since the last run.</param>
    public virtual void OnReplayed(int witness, ulong mark, bool isDiskLost)
    {
    }

    /// <summary>A witness was told what a peer holds of it, or was asked, or answered (W9).</summary>
    public virtual void OnRecalled(int witness, int from, RecallFrame frame)
    {
    }

    /// <summary>A witness began a run on a disk that was damaged, not lost.</summary>
    /// <param name="witness">Faulty since then, but it must not go on as if nothing had been.</param>
    /// <param name="mark">The last commit that it can have lost nothing above: as it read the disk, and one more for each time that it was damaged.</param>
    /// <param name="durable">Its last commit that was durable before.</param>
    public virtual void OnDamagedStart(int witness, ulong mark, ulong durable)
    {
    }

    public virtual void OnCrashed(int party)
    {
    }

    /// <summary>A party began a run; what its disk kept is restored.</summary>
    public virtual void OnStarted(int party)
    {
    }

    /// <summary>A correct party threw where none may: on bytes, a message, a tick, or a restart from a sound disk.</summary>
    public virtual void OnThrew(int party, Exception exception)
    {
    }

    /// <summary>What a correct party keeps in memory, told now and then.</summary>
    /// <param name="party">Whose.</param>
    /// <param name="what">"held bodies", "unknown acks", …</param>
    /// <param name="amount">Now.</param>
    /// <param name="bound">What it must not exceed.</param>
    public virtual void OnAmount(int party, string what, long amount, long bound)
    {
    }

    /// <summary>A correct client says of a witness that it sent what no correct one sends.</summary>
    public virtual void OnMisbehaved(int client, int witness, string what)
    {
    }

    /// <summary>A publisher, which is down, lost its journal: all of it, or what it held since an earlier start.</summary>
    /// <param name="publisher">Whose.</param>
    /// <param name="isOld">It starts again with an old one: then it may sign anew what it signed before, and is not correct any more.</param>
    public virtual void OnJournalLost(int publisher, bool isOld)
    {
    }

    /// <summary>A correct publisher's driver gave up for good, and told its application why.</summary>
    public virtual void OnPublisherEnded(int publisher, string why)
    {
    }

    /// <summary>All that this checker waits for after the chaos has happened.</summary>
    public virtual bool IsSettled => true;

    /// <summary>The chaos is over; from now on the core is connected.</summary>
    public virtual void OnHealed()
    {
    }

    /// <summary>The run is over, in time or because all that was due has happened.</summary>
    public virtual void OnEnd()
    {
    }

    protected void Fail(string text, params int[] parties)
    {
        if (Facts.IsBeyondModel && !HoldsBeyondModel)
        {
            Expected ??= new Violation(Name, text, Facts.Now, parties);
            return;
        }

        Report(new Violation(Name, text, Facts.Now, parties));
    }

    protected void Excuse(string name) => Excuses[name] = Excuses.GetValueOrDefault(name) + 1;

    protected string NameOf(int party) => party >= 0 && party < Facts.Parties.Count ? Facts.Parties[party] : "nobody known";
}

/// <summary>An ack that counts, and what counts it: acks are remembered as long as that lives.</summary>
internal readonly record struct CountedAck(VerifiedAck Ack, object Collector);

/// <summary>What checkers may know of a run.</summary>
internal abstract class RunFacts
{
    public abstract RunPlan Plan { get; }

    public abstract ClusterId Cluster { get; }

    /// <summary>By index.</summary>
    public abstract IReadOnlyList<Crypto.PublicKey> WitnessKeys { get; }

    /// <summary>Who signed what, for sure; null where a run cannot tell.</summary>
    public virtual Crypto.ISignatureScheme? Signatures => null;

    /// <summary>What this run's messages say, read once for all checkers.</summary>
    public Sightings Sightings => field ??= new Sightings(this);

    /// <summary>Names by index: W0 …, then publishers P0 …, then receivers R0 ….</summary>
    public abstract IReadOnlyList<string> Parties { get; }

    /// <summary>Virtual time. Unit: nanoseconds.</summary>
    public abstract long Now { get; }

    public abstract bool IsWitness(int party);

    public abstract bool IsPublisher(int party);

    public abstract bool IsReceiver(int party);

    /// <summary>It follows the protocol; it may crash. A witness whose disk lost what was durable is not correct any more.</summary>
    public abstract bool IsCorrect(int party);

    /// <summary>It is expected to do all that is due after the chaos: correct, not gone for ever, in the core that healed.</summary>
    public abstract bool IsInCore(int party);

    /// <summary>The party with this key; −1 when there is none.</summary>
    public abstract int PartyOf(Crypto.PublicKey key);

    /// <summary>The topic that a publisher publishes in or a receiver reads.</summary>
    public abstract Topic TopicOf(int party);

    /// <summary>The tip that a witness shows, or would show, for a stream; null when it stored nothing of it.</summary>
    public abstract BatchRef? StoredTip(int witness, StreamId stream);

    /// <summary>A witness that is up remembers its ack of a batch; true as well where it need not: below its tip, in a stream that it retired.</summary>
    public virtual bool RemembersAck(int witness, BatchRef batch) => true;

    /// <summary>A witness that is up says that it never acks again; true as well of one that is down.</summary>
    public virtual bool KnowsMemoryLost(int witness) => true;

    /// <summary>A witness that is up knows that a stream's publisher is proven faulty there; true as well where it does not know the stream.</summary>
    public virtual bool KnowsProven(int witness, StreamId stream) => true;

    /// <summary>A witness that is up knows that an incarnation is retired.</summary>
    public virtual bool KnowsRetired(int witness, StreamHeader header) => true;

    /// <summary>W11: K of every witness.</summary>
    public virtual int LiveIncarnationsMax => Protocol.NodeLimits.Default.LiveIncarnationsMax;

    /// <summary>More parties are faulty than the model allows (profile beyond-f): safety checks expect findings.</summary>
    public abstract bool IsBeyondModel { get; }

    /// <summary>What a correct publisher was asked to send and is not yet covered.</summary>
    public abstract int Outstanding(int publisher);
}
