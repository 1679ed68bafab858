using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;
using Bft.Wire.Frames;

namespace Bft.Sim;

/// <summary>
/// A witness acks afresh only where it may: not before enough peers answered at a start, nor ever after it lost its memory (W9); not behind a link whose target
/// it does not store (W1), in a stream whose publisher it proved faulty (W10), or in an incarnation that it retired (W11).
/// </summary>
/// <remarks>W9 is asked of every witness that follows the protocol, also of one whose disk was wiped, rolled back or damaged: those it is for.</remarks>
internal sealed class FreshAcks : Checker
{
    private const long Millisecond = 1_000_000;
    private const long PatienceMilliseconds = 10_000; // W9
    private const long FreshMilliseconds = 30_000;    // W11
    private const long PauseMilliseconds = 5_000;     // what came meanwhile is taken at the time of the last tick

    private readonly SortedDictionary<int, WitnessMemory> _memories = [];

    public override string Name => "fresh-acks";

    public override void OnReplayed(int witness, ulong mark, bool isDiskLost) => MemoryOf(witness).Restore(mark, isDiskLost);

    public override void OnRecord(int witness, WitnessRecord record)
    {
        WitnessMemory memory = MemoryOf(witness);
        switch (record)
        {
            case RunRecord { Last: null, Run: var run }:
                memory.Begin(run.Value, Facts.Now);
                break;
            case LostMemoryRecord:
                memory.Note(new Fact(FactKind.MemoryLost, default));
                break;
            case EvidenceRecord { Evidence: { Witness: null, Slot.Stream: var proven } }:
                memory.Note(new Fact(FactKind.PublisherProven, proven));
                break;
            case RetiredRecord { Header: var header }:
                OnRetired(witness, memory, header);
                break;
            case CertificateRecord { Certificate.Batch: var tip }:
                memory.StreamOf(tip.Stream).End = Math.Max(memory.StreamOf(tip.Stream).End, tip.Sequence.Value + 1);
                break;
            case BatchRecord { Batch: var batch, AckBase: not null }:
                OnAcked(witness, memory, batch);
                break;
            default:
                break;
        }
    }

    public override void OnSealed(int witness, ulong mark)
    {
        WitnessMemory memory = MemoryOf(witness);
        memory.Seal(mark);

        // Not when it was recorded: the target's tip may rise in the same step.
        foreach ((BatchRef batch, StreamId target, Ancestor link) in memory.Linked)
        {
            if (Facts.IsCorrect(witness) && !(memory.StreamOf(target).Tip is { } tip
                && (tip.Sequence > link.Sequence || tip == new BatchRef(target, link.Sequence, link.Digest))))
            {
                Fail($"{NameOf(witness)} acks {batch}, whose link leads to slot {link.Sequence} of {target}, which it does not store (W1).", witness);
            }
        }

        memory.Linked.Clear();
    }

    public override void OnDurable(int witness, ulong mark) => MemoryOf(witness).Durable(mark);

    public override void OnStored(int witness, StoredTip tip) => MemoryOf(witness).StreamOf(tip.Certificate.Batch.Stream).Tip = tip.Certificate.Batch;

    public override void OnRecalled(int witness, int from, RecallFrame frame)
    {
        WitnessMemory memory = MemoryOf(witness);
        if (frame.Answers?.Value == memory.Run)
        {
            memory.Answered.Add(from);
        }

        // What liars show may not hold.
        if (Facts.IsCorrect(from) && Facts.Sightings.Bundle(frame.Bundle.Span) is { } shown && shown.Root.Witness == witness
            && shown.Root.Run != memory.Run && shown.Root.Mark > memory.Replayed)
        {
            memory.ShownBy ??= from;
        }
    }

    public override void OnSent(int from, int to, IFrame frame, int bytes)
    {
        if (frame is not (AcksFrame or RefusalFrame) || !_memories.TryGetValue(from, out WitnessMemory? memory)
            || Facts.Sightings.Of(from, frame).Bundle is not { } bundle || bundle.Root.Witness != from)
        {
            return;
        }

        if (memory.Has(new Fact(FactKind.MemoryLost, default)))
        {
            Fail($"{NameOf(from)} shows its ack of {bundle.Acks[0].Batch}, and knows that it lost its memory (W9).", from);
        }
        else if (memory.ShownBy is { } peer)
        {
            Fail($"{NameOf(from)} shows its ack of {bundle.Acks[0].Batch}, though {NameOf(peer)} showed it a root of its own that its disk does not hold (W9).", from, peer);
        }
        else if (WhyTooSoon(memory) is { } reason)
        {
            Fail($"{NameOf(from)} shows its ack of {bundle.Acks[0].Batch} {reason} (W9).", from);
        }
    }

    public override void OnStarted(int party)
    {
        if (!_memories.TryGetValue(party, out WitnessMemory? memory))
        {
            return;
        }

        if (memory.Has(new Fact(FactKind.MemoryLost, default)) && !Facts.KnowsMemoryLost(party))
        {
            Fail($"{NameOf(party)} came back and forgot that it had lost its memory (W9).", party);
        }

        foreach ((StreamId stream, StreamHeader header) in Facts.IsCorrect(party) ? memory.Headers : [])
        {
            if (memory.Has(new Fact(FactKind.PublisherProven, stream)) && !Facts.KnowsProven(party, stream))
            {
                Fail($"{NameOf(party)} came back and forgot that the publisher of {stream} is proven faulty (W10).", party);
            }

            if (memory.Has(new Fact(FactKind.Retired, stream)) && !Facts.KnowsRetired(party, header))
            {
                Fail($"{NameOf(party)} came back and forgot that {stream} is retired (W11).", party);
            }
        }
    }

    public override void OnCrashed(int party)
    {
        if (_memories.TryGetValue(party, out WitnessMemory? memory))
        {
            memory.Crash();
        }
    }

    private string? WhyTooSoon(WitnessMemory memory)
    {
        int witnesses = Facts.Plan.Witnesses;
        int answers = memory.Answered.Count;
#if PLANTED
        answers = Crypto.Planted.Is("canary-fresh-acks") ? 0 : answers;
#endif
        return answers < witnesses - ((witnesses - 1) / 3) - 1 ? $"when {answers} of its peers have answered"
            : answers < witnesses - 1 && Facts.Plan.ClockJumpPpm == 0 && Facts.Now - memory.Since < PatienceMilliseconds * Millisecond ? "before the last of its peers had their time to answer"
            : null;
    }

    private void OnAcked(int witness, WitnessMemory memory, VerifiedBatch batch)
    {
        BatchRef reference = batch.Reference;
        StreamHeader header = batch.Statement.Statement.Header;
        if (Facts.IsCorrect(witness) && memory.Has(new Fact(FactKind.PublisherProven, reference.Stream)))
        {
            Fail($"{NameOf(witness)} acks {reference} of a publisher that it has proven faulty there (W10).", witness);
        }

        if (Facts.IsCorrect(witness) && memory.Has(new Fact(FactKind.Retired, reference.Stream)))
        {
            Fail($"{NameOf(witness)} acks {reference} in an incarnation that it retired (W11).", witness);
        }

        memory.Note(new Fact(FactKind.Acked, reference.Stream));
        memory.Headers.TryAdd(reference.Stream, header);
        int live = memory.Headers.Count(known => known.Value.Publisher == header.Publisher && known.Value.Topic == header.Topic
            && memory.Has(new Fact(FactKind.Acked, known.Key)) && !memory.Has(new Fact(FactKind.Retired, known.Key)));
        if (Facts.IsCorrect(witness) && live > Facts.LiveIncarnationsMax)
        {
            Fail($"{NameOf(witness)} acks in {live} incarnations of one publisher and topic; {Facts.LiveIncarnationsMax} are the most (W11).", witness);
        }

        StreamMemory stream = memory.StreamOf(reference.Stream);
        stream.LastAck = (reference.Sequence.Value, Facts.Now);
        if (batch.Statement.Statement.Ancestor is { Kind: AncestorKind.Link } link)
        {
            memory.Linked.Add((reference, new StreamHeader(header.Cluster, header.Publisher, header.Topic, link.Incarnation).Id, link));
        }
    }

    private void OnRetired(int witness, WitnessMemory memory, StreamHeader header)
    {
        StreamMemory stream = memory.StreamOf(header.Id);
        memory.Note(new Fact(FactKind.Retired, header.Id));
        memory.Headers.TryAdd(header.Id, header);
        if (Facts.IsCorrect(witness) && Facts.Plan.ClockJumpPpm == 0 && stream.LastAck is var (sequence, at)
            && sequence >= stream.End && Facts.Now - at < (FreshMilliseconds - (Facts.Plan.PausePpm > 0 ? PauseMilliseconds : 0) - Facts.Plan.TickMilliseconds) * Millisecond)
        {
            Fail($"{NameOf(witness)} retires {header.Id}, in which an ack of the last 30 s is not certified (W11).", witness);
        }
    }

    private WitnessMemory MemoryOf(int witness)
    {
        if (!_memories.TryGetValue(witness, out WitnessMemory? memory))
        {
            _memories.Add(witness, memory = new WitnessMemory());
        }

        return memory;
    }
}
