using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// Once per cursor: never again after the application committed it, and until then only after a crash, with the mark of a possible repeat. A publisher repeats messages in a new
/// incarnation only with its mark, and only when witnesses called for one (P6).
/// </summary>
internal sealed class NoDuplication : Checker
{
    private readonly Dictionary<(int Receiver, StreamId Stream), ulong> _committed = [];
    private readonly Dictionary<(int Receiver, Slot Slot), int> _delivered = [];
    private readonly Dictionary<int, int> _runs = [];
    private readonly Dictionary<UInt128, BatchRef> _made = [];
    private readonly Dictionary<int, StreamId> _current = [];
    private readonly Dictionary<StreamId, Calls> _calls = [];

    public override string Name => "no-duplication";

    public override void OnStarted(int party)
    {
        _runs[party] = _runs.GetValueOrDefault(party) + 1;
        _current.Remove(party);
    }

    public override void OnBroadcast(int publisher, VerifiedBatch batch)
    {
        if (Facts.IsCorrect(publisher) && Facts.Sightings.Statement(batch.Statement.Statement.Bytes.Span) is { } statement)
        {
            CheckMark(publisher, statement, PayloadKeys.Of(statement.Publisher, batch.Body.Span));
            CheckGround(publisher, batch.Reference.Stream);
        }
    }

    public override void OnCovered(int publisher, BatchRef batch, VerifiedCertificate certificate)
    {
        // A call that is still on its way counts from when it comes, so the time begins again and does not end.
        if (_calls.TryGetValue(batch.Stream, out Calls? calls))
        {
            calls.Since = Facts.Now;
        }
    }

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        if (frame is RefusalFrame { Reason: RefusalReason.Full or RefusalReason.Retired } refusal && Facts.IsPublisher(to))
        {
            _calls.TryAdd(refusal.Slot.Stream, new Calls());
            Calls calls = _calls[refusal.Slot.Stream];
            calls.From.Add(from);
            calls.Since ??= Facts.Now;
        }
    }

    public override void OnCommitted(int receiver, StreamId stream, Sequence next)
    {
        _committed.TryGetValue((receiver, stream), out ulong before);
        _committed[(receiver, stream)] = Math.Max(before, next.Value);
    }

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        Slot slot = delivery.Batch.Reference.Slot;
        Take(receiver, slot, isPossibleRepeat);
#if PLANTED
        if (Crypto.Planted.Is("canary-no-duplication"))
        {
            Take(receiver, slot, isPossibleRepeat);
        }
#endif
    }

    private void Take(int receiver, Slot slot, bool isPossibleRepeat)
    {
        int run = _runs.GetValueOrDefault(receiver);
        if (isPossibleRepeat && run <= 1)
        {
            Fail($"{NameOf(receiver)} says of slot {slot} that it may be a repeat, and never ran before.", receiver);
        }

        if (_committed.TryGetValue((receiver, slot.Stream), out ulong next) && slot.Sequence.Value < next)
        {
            Fail($"{NameOf(receiver)} delivered slot {slot} again after it had committed slot {next - 1}.", receiver);
        }
        else if (_delivered.TryGetValue((receiver, slot), out int before))
        {
            if (before == run)
            {
                Fail($"{NameOf(receiver)} delivered slot {slot} twice in one run.", receiver);
            }
            else if (!isPossibleRepeat)
            {
                Fail($"{NameOf(receiver)} delivered slot {slot} again after a restart, and did not say that it may be a repeat.", receiver);
            }
        }

        _delivered[(receiver, slot)] = run;
    }

    /// <summary>P6: what was signed before, in another incarnation, is marked; nothing else is.</summary>
    private void CheckMark(int publisher, SeenStatement statement, List<UInt128> keys)
    {
        bool isRepeat = keys.Exists(key => _made.TryGetValue(key, out BatchRef first) && first != statement.Batch);
        if (isRepeat != statement.IsPossibleRepeat)
        {
            Fail($"{NameOf(publisher)} signed {statement.Batch} {(isRepeat ? "without the mark of a possible repeat, and repeats" : "with the mark of a possible repeat, and never signed that before")} (P6).", publisher);
        }

        keys.ForEach(key => _made.TryAdd(key, statement.Batch));
    }

    /// <summary>P6: within one run another incarnation begins only when f + 1 witnesses called for it, or one did and nothing was covered for long.</summary>
    private void CheckGround(int publisher, StreamId stream)
    {
        if (_current.TryGetValue(publisher, out StreamId left) && left != stream)
        {
            int callers = _calls.TryGetValue(left, out Calls? calls) ? calls.From.Count : 0;
            long waited = calls?.Since is { } since ? Facts.Now - since : 0;
            if (callers <= (Facts.Plan.Witnesses - 1) / 3 && waited < PublisherParty.PatienceNanoseconds(Facts.Plan))
            {
                Fail($"{NameOf(publisher)} left its incarnation though {callers} witnesses called for that (P6).", publisher);
            }
        }

        _current[publisher] = stream;
    }

    /// <summary>"Retired" and "full", as they were sent to a publisher about one stream.</summary>
    private sealed class Calls
    {
        public SortedSet<int> From { get; } = [];

        /// <summary>The first one since something of the stream was last covered.</summary>
        public long? Since { get; set; }
    }
}
