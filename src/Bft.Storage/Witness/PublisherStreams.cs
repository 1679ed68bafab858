using Bft.Crypto;
using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>All streams by publisher, topic and incarnation: those of one publisher in one topic are found without looking at the others (P7). For the thread that owns the journal.</summary>
/// <remarks>Cut into parts by publisher: a newcomer moves those of its part alone. While a journal is replayed nothing is in order: streams come by their ids.</remarks>
internal sealed class PublisherStreams
{
    private const int Parts = 256;

    private readonly List<StreamLog>?[] _parts = new List<StreamLog>?[Parts];
    private bool _isSorted;

    public void Add(StreamLog log)
    {
        List<StreamLog> part = _parts[PartOf(log.Header.Publisher)] ??= new(1);
        part.Insert(_isSorted ? PlaceOf(part, log.Header.Publisher, log.Header.Topic, log.Header.Incarnation) : part.Count, log);
    }

    public void Remove(StreamLog log)
    {
        List<StreamLog> part = _parts[PartOf(log.Header.Publisher)] ?? [];
        part.RemoveAt(_isSorted ? PlaceOf(part, log.Header.Publisher, log.Header.Topic, log.Header.Incarnation) - 1 : part.IndexOf(log));
    }

    public void Sort()
    {
        foreach (List<StreamLog>? part in _isSorted ? [] : _parts)
        {
            part?.Sort(static (left, right) => Compare(left.Header, right.Header.Publisher, right.Header.Topic, right.Header.Incarnation));
        }

        _isSorted = true;
    }

    public IEnumerable<StreamLog> NewestFirst(Topic topic, PublicKey publisher)
    {
        Sort();
        List<StreamLog> part = _parts[PartOf(publisher)] ?? [];
        for (int i = PlaceOf(part, publisher, topic, new Incarnation(ulong.MaxValue, ulong.MaxValue)) - 1; i >= 0; i--)
        {
            StreamLog log = part[i];
            if (log.Header.Publisher != publisher || log.Header.Topic != topic)
            {
                yield break;
            }

            yield return log;
        }
    }

    private static int PartOf(PublicKey publisher) => publisher.GetHashCode() & (Parts - 1);

    /// <summary>How many stand at or before it.</summary>
    private static int PlaceOf(List<StreamLog> part, PublicKey publisher, Topic topic, Incarnation incarnation)
    {
        int low = 0;
        int high = part.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = Compare(part[middle].Header, publisher, topic, incarnation) <= 0 ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static int Compare(StreamHeader header, PublicKey publisher, Topic topic, Incarnation incarnation)
    {
        int order = header.Publisher.CompareTo(publisher);
        order = order != 0 ? order : header.Topic.CompareTo(topic);
        return order != 0 ? order : header.Incarnation.CompareTo(incarnation);
    }
}
