using Bft.Protocol.Model;

namespace Bft.Storage;

/// <summary>A new lower end of a stream.</summary>
/// <param name="Log">Whose.</param>
/// <param name="Floor">The lowest slot whose body stays.</param>
/// <param name="First">The lowest slot whose statement stays.</param>
/// <param name="Bytes">What that gives back, about.</param>
internal readonly record struct Cut(StreamLog Log, Sequence Floor, Sequence First, long Bytes);

/// <summary>S2: decides what is cut, by bytes and age per topic; whole certified ranges, the oldest first.</summary>
internal sealed class Retention(BatchStore store, Func<Topic, RetentionPolicy> policyOf)
{
    /// <param name="now">The steady clock that certificates were stored by: a jump of the host's clock cuts nothing.</param>
    public List<Cut> Decide(long now)
    {
        List<Cut> cuts = [];
        StreamLog[] limited = [.. store.Ordered.Where(log => log.Tip is not null && policyOf(log.Header.Topic) != RetentionPolicy.KeepAll)];
        foreach (IGrouping<Topic, StreamLog> topic in limited.GroupBy(log => log.Header.Topic))
        {
            RetentionPolicy policy = policyOf(topic.Key);
            Cutting[] streams = [.. topic.Select(log => new Cutting(log))];
            CutBodies(streams, policy, now);
            cuts.AddRange(streams.Select(stream => stream.Decide(policy, now)).Where(cut => cut.Bytes > 0));
        }

        return cuts;
    }

    private static void CutBodies(Cutting[] streams, RetentionPolicy policy, long now)
    {
        long bytes = streams.Sum(stream => stream.Bytes);
        PriorityQueue<Cutting, (long StoredAt, StreamId Stream)> oldest = new();
        foreach (Cutting stream in streams)
        {
            Enqueue(stream);
        }

        while (oldest.TryDequeue(out Cutting? stream, out (long StoredAt, StreamId Stream) key)
            && (bytes > policy.Bytes || (policy.Age is { } age && now - key.StoredAt > age.TotalMilliseconds)))
        {
            bytes -= stream.CutRange();
            Enqueue(stream);
        }

        void Enqueue(Cutting stream)
        {
            if (stream.OldestAt is { } at)
            {
                oldest.Enqueue(stream, (at, stream.Id));
            }
        }
    }

    /// <summary>A stream whose floor is being decided.</summary>
    private sealed class Cutting(StreamLog log)
    {
        private readonly StreamIndex _index = log.Index;
        private long _next = log.Index.CertificateFor(log.Planned.Floor);
        private Sequence _floor = log.Planned.Floor;
        private long _freed;

        public StreamId Id => log.Header.Id;

        public long Bytes => log.BodyBytes;

        /// <summary>When the lowest range whose bodies are kept was stored; null when none is.</summary>
        public long? OldestAt => _floor < _index.End ? _index.Certificates[_next].StoredAt : null;

        public long CutRange()
        {
            long bytes = 0;
            Sequence end = new Sequence(_index.Certificates[_next].Top).Following;
            for (; _floor < end; _floor = _floor.Following)
            {
                bytes += _index[_floor].BodyLength;
            }

            _next++;
            _freed += bytes;
            return bytes;
        }

        /// <summary>The range right below the floor keeps statements and certificate: they prove the floor.</summary>
        public Cut Decide(RetentionPolicy policy, long now)
        {
            Sequence first = log.Planned.First;
            if (policy.HistoryAge is { } age)
            {
                for (long i = _index.CertificateFor(first); i < _index.Certificates.Count; i++)
                {
                    StoredCertificate range = _index.Certificates[i];
                    Sequence end = new Sequence(range.Top).Following;
                    if (end >= _floor || now - range.StoredAt <= age.TotalMilliseconds)
                    {
                        break;
                    }

                    _freed += range.Position.Length + ((long)(end.Value - first.Value) * log.StatementLength);
                    first = end;
                }
            }

            // A range of empty bodies is cut too.
            bool isCut = _floor > log.Planned.Floor || first > log.Planned.First;
            return new Cut(log, _floor, first, isCut ? Math.Max(_freed, 1) : 0);
        }
    }
}
