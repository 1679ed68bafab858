using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>A new lower end of a stream.</summary>
/// <param name="Log">Whose.</param>
/// <param name="Floor">The lowest slot whose body stays.</param>
/// <param name="First">The lowest slot whose statement stays.</param>
/// <param name="Bytes">What that gives back, about.</param>
internal readonly record struct Cut(StreamLog Log, Sequence Floor, Sequence First, long Bytes);

/// <summary>S2: decides what is cut, by bytes and age per topic; whole certified ranges, the oldest first.</summary>
/// <remarks>It costs what was stored and what is cut, however many streams there are; only a topic's streams are put in order when it first keeps less than all: at the start, mostly.</remarks>
internal sealed class Retention(BatchStore store, Func<Topic, RetentionPolicy> policyOf)
{
    /// <summary>Topics that are looked at though nothing was stored there: in turn, for what is old by now and for policies that changed.</summary>
    public const int TopicsInTurn = 1024;

    private int _turn;
    private uint _looks; // one a second, or a few

    /// <summary>The journal is replayed: streams are put in order before anybody waits for the thread that does it.</summary>
    public void Start()
    {
        foreach (TopicStreams topic in store.Topics)
        {
            if (topic.Count > TopicStreams.FewMax && policyOf(topic.Topic) != RetentionPolicy.KeepAll)
            {
                topic.Order();
            }
        }
    }

    /// <param name="now">The steady clock that certificates were stored by: a jump of the host's clock cuts nothing.</param>
    /// <returns>To be planned before the next look.</returns>
    public List<Cut> Decide(long now)
    {
        List<Cut> cuts = [];
        _looks++;
        foreach (TopicStreams topic in store.TakeTouched())
        {
            Decide(topic, now, cuts);
        }

        for (int i = Math.Min(TopicsInTurn, store.Topics.Count); i > 0; i--)
        {
            _turn = (_turn + 1) % store.Topics.Count;
            Decide(store.Topics[_turn], now, cuts);
        }

        return cuts;
    }

    private void Decide(TopicStreams topic, long now, List<Cut> cuts)
    {
        // Twice in one look would cut twice: nothing is planned yet.
        if (topic.Look == _looks || policyOf(topic.Topic) is not { } policy || policy == RetentionPolicy.KeepAll)
        {
            return;
        }

        topic.Look = _looks;
        if (topic.Count <= TopicStreams.FewMax && !IsAnythingOver(topic, policy, now))
        {
            return;
        }

        topic.Order();
        OrderedDictionary<StreamId, Cutting> streams = [];
        CutBodies(topic, policy, now, streams);
        foreach (Cutting stream in streams.Values)
        {
            topic.History!.Add(stream.Log, stream.HistoryAt);
        }

        while (topic.History!.Oldest is var (log, at) && IsOver(policy.HistoryAge, at, now))
        {
            Cutting stream = CuttingOf(log, streams);
            if (stream.HistoryAt == at)
            {
                stream.CutHistory();
            }

            topic.History.MoveOldest(stream.HistoryAt);
        }

        topic.Settle();
        cuts.AddRange(streams.Values.Select(stream => stream.Cut).Where(cut => cut.Bytes > 0));
    }

    private static bool IsAnythingOver(TopicStreams topic, RetentionPolicy policy, long now)
    {
        for (int i = 0; i < topic.Count; i++)
        {
            Cutting stream = new(topic[i]);
            if (IsOver(policy.Age, stream.OldestAt, now) || IsOver(policy.HistoryAge, stream.HistoryAt, now))
            {
                return true;
            }
        }

        return topic.BodyBytes > policy.Bytes;
    }

    private static void CutBodies(TopicStreams topic, RetentionPolicy policy, long now, OrderedDictionary<StreamId, Cutting> streams)
    {
        long bytes = topic.BodyBytes;
        while (topic.Bodies!.Oldest is var (log, at) && (bytes > policy.Bytes || IsOver(policy.Age, at, now)))
        {
            // It may stand where it was before a floor was accepted (S3).
            Cutting stream = CuttingOf(log, streams);
            if (stream.OldestAt == at)
            {
                bytes -= stream.CutRange();
            }

            topic.Bodies.MoveOldest(stream.OldestAt);
        }
    }

    private static bool IsOver(TimeSpan? age, long? storedAt, long now) => age is { } most && now - storedAt > most.TotalMilliseconds;

    private static Cutting CuttingOf(StreamLog log, OrderedDictionary<StreamId, Cutting> streams)
    {
        if (!streams.TryGetValue(log.Header.Id, out Cutting? stream))
        {
            streams.Add(log.Header.Id, stream = new Cutting(log));
        }

        return stream;
    }
}
