using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Sim;

/// <summary>
/// In a stream by sequence, without gaps; a linked incarnation after its link's target, or after a floor or cursor beyond that. A new incarnation is linked, at least to what no n − f witnesses
/// could have hidden from its publisher at its start (P7).
/// </summary>
internal sealed class Order : Checker
{
    private readonly Dictionary<(int Receiver, StreamId Stream), Reader> _readers = [];
    private readonly SortedDictionary<int, SortedDictionary<UInt128, Run>> _stored = [];
    private readonly Dictionary<int, List<(UInt128 Incarnation, int Witness, Sequence Tip)>> _known = [];

    public override string Name => "order";

    public override void OnDelivered(int receiver, Delivery delivery, bool isPossibleRepeat)
    {
        BatchRef batch = delivery.Batch.Reference;
        Reader reader = Of(receiver, batch.Stream);
        ulong sequence = batch.Sequence.Value;
#if PLANTED
        sequence += Planted.Is("canary-order") && sequence == 2 ? 1UL : 0;
#endif
        if (sequence > reader.Next)
        {
            Fail($"{NameOf(receiver)} delivered {batch} where slot {reader.Next} was due.", receiver);
        }

        // A repeat, marked or not, is another checker's business; after a restart one may begin anywhere in what was delivered before.
        reader.Next = reader.IsResuming ? sequence + 1 : Math.Max(reader.Next, sequence + 1);
        reader.High = Math.Max(reader.High, reader.Next);
        reader.IsResuming = false;
        CheckAncestor(receiver, reader, batch, Facts.Sightings.Statement(delivery.Batch.Statement.Statement.Bytes.Span));
        reader.Digests[batch.Sequence.Value] = batch.Digest;
    }

    public override void OnCommitted(int receiver, StreamId stream, Sequence next)
    {
        Reader reader = Of(receiver, stream);
        reader.High = Math.Max(reader.High, next.Value);
    }

    public override void OnSkipped(int receiver, Skipped skipped)
    {
        Reader reader = Of(receiver, skipped.Stream);
        if (skipped.First.Value > reader.Next)
        {
            Fail($"{NameOf(receiver)} skipped from slot {skipped.First} of {skipped.Stream}, where slot {reader.Next} was due.", receiver);
        }

        reader.Next = skipped.Floor.Value;
        reader.High = Math.Max(reader.High, reader.Next);
        reader.IsResuming = false;
    }

    public override void OnStored(int witness, StoredTip tip)
    {
        BatchRef batch = tip.Certificate.Batch;
        if (Facts.Sightings.Find(batch.Digest) is { } statement && Facts.PartyOf(statement.Publisher) is var publisher and >= 0)
        {
            _stored.TryAdd(publisher, []);
            _stored[publisher].TryAdd(statement.Incarnation, new Run(batch.Stream));
            _stored[publisher][statement.Incarnation].Tips[witness] = batch.Sequence;
        }
    }

    public override void OnBroadcast(int publisher, VerifiedBatch batch)
    {
        if (Facts.Sightings.Statement(batch.Statement.Statement.Bytes.Span) is { Batch.Sequence.IsFirst: true } first && Facts.IsCorrect(publisher) && Known(publisher) is { } known
            && !(LinkOf(publisher, first) is { } link && (link.Incarnation, link.Slot).CompareTo(known) >= 0))
        {
            Fail($"{NameOf(publisher)} begins a new incarnation with {first.Batch}, linked {(first.Link is { } to ? $"to {to}" : "to nothing")}, though n − f witnesses could not hide slot {known.Slot} of a later one (P7).", publisher);
        }
    }

    public override void OnStarted(int party)
    {
        if (Facts.IsPublisher(party))
        {
            _known[party] = [.. _stored.GetValueOrDefault(party)?.SelectMany(run => run.Value.Tips.Select(tip => (run.Key, tip.Key, tip.Value))) ?? []];
        }

        foreach (((int receiver, StreamId _), Reader reader) in _readers)
        {
            if (receiver == party)
            {
                reader.Next = reader.High;
                reader.IsResuming = true;
            }
        }
    }

    private void CheckAncestor(int receiver, Reader reader, BatchRef batch, SeenStatement? statement)
    {
        if (statement?.Previous is { } previous && reader.Digests.TryGetValue(previous.Sequence.Value, out Digest before) && before != previous.Digest)
        {
            Fail($"{NameOf(receiver)} delivered {batch}, which does not follow what it delivered before (R1).", receiver);
        }

        if (statement?.Link is { } link && Of(receiver, link.Stream).High <= link.Sequence.Value)
        {
            Fail($"{NameOf(receiver)} delivered {batch} before the target of its link, {link}.", receiver);
        }
    }

    /// <summary>The highest slot that f + 1 correct witnesses stored when the publisher's run began.</summary>
    private (UInt128 Incarnation, Sequence Slot)? Known(int publisher)
    {
        int faulty = (Facts.Plan.Witnesses - 1) / 3;
        foreach (IGrouping<UInt128, (UInt128 Incarnation, int Witness, Sequence Tip)> run in (_known.GetValueOrDefault(publisher) ?? []).GroupBy(known => known.Incarnation).OrderByDescending(run => run.Key))
        {
            Sequence[] tips = [.. run.Where(known => Facts.IsCorrect(known.Witness)).Select(known => known.Tip).OrderDescending()];
            if (tips.Length > faulty)
            {
                return (run.Key, tips[faulty]);
            }
        }

        return null;
    }

    private (UInt128 Incarnation, Sequence Slot)? LinkOf(int publisher, SeenStatement first)
    {
        foreach ((UInt128 incarnation, Run run) in _stored.GetValueOrDefault(publisher) ?? [])
        {
            if (first.Link is { } link && run.Stream == link.Stream)
            {
                return (incarnation, link.Sequence);
            }
        }

        return null;
    }

    private Reader Of(int receiver, StreamId stream)
    {
        if (!_readers.TryGetValue((receiver, stream), out Reader? reader))
        {
            reader = new Reader();
            _readers.Add((receiver, stream), reader);
        }

        return reader;
    }

    /// <summary>One incarnation, and the tips of it that correct witnesses show.</summary>
    private sealed record Run(StreamId Stream)
    {
        public SortedDictionary<int, Sequence> Tips { get; } = [];
    }

    private sealed class Reader
    {
        /// <summary>The slot that is due.</summary>
        public ulong Next { get; set; }

        /// <summary>One above the highest slot ever delivered, skipped or committed.</summary>
        public ulong High { get; set; }

        /// <summary>Nothing came since the restart: the cursor decides where it goes on, at most at <see cref="High"/>.</summary>
        public bool IsResuming { get; set; }

        public Dictionary<ulong, Digest> Digests { get; } = [];
    }
}
