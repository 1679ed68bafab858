using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;

namespace Bft.Protocol.Witnessing;

/// <summary>All lists of live incarnations of a witness. Rule W11: a key that may publish cannot make it remember any number of streams.</summary>
/// <remarks>
/// A list is rebuilt from records: an incarnation is listed by its first acked batch, and goes by a <see cref="RetiredRecord"/> that stands before the
/// newcomer's first ack. One that was never acked in leaves without a trace. Lists: one per publisher and topic that a policy admits and that was used.
/// </remarks>
internal sealed class Incarnations(NodeLimits limits)
{
    /// <summary>Most originals in one refusal; the wire's limit.</summary>
    private const int OriginalsMax = 256;

    private readonly OrderedDictionary<(PublicKey Publisher, Topic Topic), IncarnationList> _lists = [];
    private readonly SteadyClock _clock = new();

    public void OnTick(long now) => _clock.OnTick(now);

    /// <summary>Makes room for a stream that is not listed; gives the reason when there may be none.</summary>
    /// <param name="header">The newcomer.</param>
    /// <param name="effects">Gets the record of one that is retired for it.</param>
    /// <param name="forgotten">Streams that nothing needs any more.</param>
    public RefusalReason? Admit(StreamHeader header, WitnessEffects effects, List<StreamWitness> forgotten)
    {
        IncarnationList list = ListOf(header);
        bool mayJoin = list.IsAboveMark(header.Incarnation);
#if PLANTED
        mayJoin |= Crypto.Planted.Is("retired-acked");
#endif
        if (!mayJoin)
        {
            return RefusalReason.Retired;
        }

        if (!list.TryMakeRoom(out StreamWitness? leaving))
        {
            return RefusalReason.Full;
        }

        if (leaving?.Listing is { } listing)
        {
            bool isAcked = listing.AckedAt is not null;
            list.Remove(leaving);
            if (!isAcked)
            {
                // It comes back when there is room: nothing was ever promised in it.
                forgotten.AddRange(leaving.IsForgettable ? [leaving] : []);
            }
            else
            {
                effects.Records.Add(new RetiredRecord(leaving.Header!));
                list.Retire(leaving.Header!.Incarnation);
                if (!leaving.IsCertifiedAnywhere && list.KeepRetired(leaving) is { } tooMany)
                {
                    effects.Records.Add(new ForgottenRecord(tooMany.Id));
                    forgotten.Add(tooMany);
                }
            }
        }

        return null;
    }

    public bool IsRetired(StreamHeader header) => _lists.TryGetValue((header.Publisher, header.Topic), out IncarnationList? list) && !list.IsAboveMark(header.Incarnation);

    /// <summary>A stream that was admitted, or is being replayed, is live.</summary>
    public void Join(StreamWitness stream)
    {
        if (stream.Listing is null)
        {
            ListOf(stream.Header!).Add(stream);
        }
    }

    /// <summary>W9: a retirement is replayed.</summary>
    public void RestoreRetired(StreamHeader header, StreamWitness? stream)
    {
        IncarnationList list = ListOf(header);
        list.Retire(header.Incarnation);
        if (stream is not null)
        {
            list.Remove(stream);
            if (!stream.IsCertifiedAnywhere)
            {
                _ = list.KeepRetired(stream); // whom it drops, a record says
            }
        }
    }

    /// <summary>S2: the lists as a checkpoint has them. What was never acked in is nothing to remember.</summary>
    public IEnumerable<IncarnationsRecord> Remembered() => _lists
        .Select(pair => pair.Value.Remembered(pair.Key.Publisher, pair.Key.Topic))
        .Where(record => record.HighestRetired is not null || record.Live.Count > 0);

    /// <summary>S2: a checkpoint's list is replayed; its streams were before it.</summary>
    public void Restore(IncarnationsRecord record, Func<StreamId, StreamWitness?> streamOf)
    {
        if (!_lists.TryGetValue((record.Publisher, record.Topic), out IncarnationList? list))
        {
            list = new IncarnationList(limits, _clock);
            _lists.Add((record.Publisher, record.Topic), list);
        }

        list.Restore(record, streamOf);
    }

    /// <summary>A refusal that shows the live incarnations.</summary>
    public PublisherRefusal Refuse(BatchStatement about, RefusalReason reason)
    {
        IncarnationList list = ListOf(about.Header);
        return new PublisherRefusal(about.Header.Publisher, new Refusal(about.Reference.Slot, reason) { Live = list.Originals(OriginalsMax) }) { LiveTips = list.Tips() };
    }

    private IncarnationList ListOf(StreamHeader header)
    {
        (PublicKey Publisher, Topic Topic) key = (header.Publisher, header.Topic);
        if (!_lists.TryGetValue(key, out IncarnationList? list))
        {
            list = new IncarnationList(limits, _clock);
            _lists.Add(key, list);
        }

        return list;
    }
}
