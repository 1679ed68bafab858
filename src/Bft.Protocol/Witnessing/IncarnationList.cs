using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>One publisher's incarnations in one topic: the live ones, in the order in which they were last acked in, and the highest retired one. Rule W11.</summary>
/// <remarks>Bounds: <see cref="NodeLimits.LiveIncarnationsMax"/> live ones, <see cref="NodeLimits.RetiredIncarnationsMax"/> retired ones of which nothing is certified.</remarks>
internal sealed class IncarnationList(NodeLimits limits, SteadyClock clock)
{
    /// <summary>Acks older than this hold an incarnation no more. Unit: milliseconds.</summary>
    public const long FreshAckAge = 30_000;

    private Listing[] _live = []; // mostly one: no list around it
    private Queue<StreamWitness>? _retired;

    /// <summary>Fresh acks are given in no incarnation at or below it, unless it is listed.</summary>
    public Incarnation? HighestRetired { get; private set; }

    /// <summary>Acked in longest ago first; those never acked in before all others.</summary>
    public IEnumerable<StreamWitness> Live => _live.Select(listing => listing.Stream);

    public bool IsAboveMark(Incarnation incarnation) => HighestRetired is not { } mark || incarnation > mark;

    /// <summary>Who must go for a newcomer; null when there is room. False when none may go.</summary>
    public bool TryMakeRoom(out StreamWitness? leaving)
    {
        leaving = null;
        if (_live.Length < limits.LiveIncarnationsMax)
        {
            return true;
        }

        leaving = Array.Find(_live, IsIdle)?.Stream;
        return leaving is not null;
    }

    public void Add(StreamWitness stream)
    {
        Listing listing = new(this, stream);
        int place = Array.FindIndex(_live, other => other.AckedAt is not null);
        place = place < 0 ? _live.Length : place;
        _live = [.. _live[..place], listing, .. _live[place..]];
        stream.Listing = listing;
    }

    public void OnAck(Listing listing)
    {
        listing.AckedAt = clock.Elapsed;
        if (_live[^1] != listing)
        {
            _live = [.. _live.Where(other => other != listing), listing];
        }
    }

    /// <summary>Takes a stream from the list; what it acked stays.</summary>
    public void Remove(StreamWitness stream)
    {
        if (stream.Listing is { } listing)
        {
            _live = [.. _live.Where(other => other != listing)];
            stream.Listing = null;
        }
    }

    /// <summary>Raises the mark.</summary>
    public void Retire(Incarnation incarnation) => HighestRetired = IsAboveMark(incarnation) ? incarnation : HighestRetired;

    /// <summary>Keeps a retired stream in mind, and gives one that is too many: nothing of it was ever certified, and it can never be acked in again.</summary>
    public StreamWitness? KeepRetired(StreamWitness stream)
    {
        _retired ??= new();
        _retired.Enqueue(stream);
        for (int i = _retired.Count; i > limits.RetiredIncarnationsMax; i--)
        {
            StreamWitness oldest = _retired.Dequeue();
            if (oldest.IsForgettable)
            {
                return oldest;
            }

            // Certified meanwhile, and bounded by what correct witnesses acked; or its acks are not signed yet.
            if (!oldest.IsCertifiedAnywhere)
            {
                _retired.Enqueue(oldest);
            }
        }

        return null;
    }

    /// <summary>The stored tips of the live incarnations, whose originals a refusal shows too.</summary>
    public IReadOnlyList<BatchRef> Tips() => [.. Live.Where(stream => stream.IsTipSigned).Select(stream => stream.StoredTip!.Value)];

    /// <summary>What a refusal shows of what is above the stored tips: the newest original of each live incarnation, then the one before of each, and so on. Nothing whose ack is not durable (W1).</summary>
    public IReadOnlyList<SignedStatement> Originals(int max)
    {
        List<VerifiedStatement>[] shown = [.. Live.Select(stream => stream.ShownOriginals(max))];
        return
        [
            .. Enumerable.Range(0, shown.Select(originals => originals.Count).DefaultIfEmpty(0).Max())
                .SelectMany(depth => shown.Where(originals => depth < originals.Count).Select(originals => originals[depth]))
                .Take(max)
                .Select(SignedStatement.From),
        ];
    }

    public IncarnationsRecord Remembered(PublicKey publisher, Topic topic) => new(
        publisher, topic, HighestRetired, [.. _live.Where(listing => listing.AckedAt is not null).Select(listing => listing.Stream.Id)], [.. (_retired ?? []).Select(stream => stream.Id)]);

    public void Restore(IncarnationsRecord record, Func<StreamId, StreamWitness?> streamOf)
    {
        foreach (StreamWitness listed in Live.ToArray())
        {
            Remove(listed);
        }

        HighestRetired = record.HighestRetired;
        foreach (StreamWitness live in record.Live.Select(streamOf).OfType<StreamWitness>())
        {
            Add(live);
            live.Listing!.OnAck();
        }

        foreach (StreamWitness retired in record.Retired.Select(streamOf).OfType<StreamWitness>())
        {
            _retired ??= new();
            _retired.Enqueue(retired);
        }
    }

    private bool IsIdle(Listing listing) =>
        listing.AckedAt is not { } at || !listing.Stream.HasUncertifiedAck || clock.Elapsed - at > FreshAckAge;
}

/// <summary>A stream's place among the live incarnations: only with one are there fresh acks in it (W11).</summary>
internal sealed class Listing(IncarnationList list, StreamWitness stream)
{
    public StreamWitness Stream { get; } = stream;

    /// <summary>By the list's clock; null when it was never acked in.</summary>
    public long? AckedAt { get; set; }

    public void OnAck() => list.OnAck(this);
}
