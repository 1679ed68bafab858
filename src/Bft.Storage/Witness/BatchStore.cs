using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Bft.Crypto;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Storage;

/// <summary>All streams that a witness stores: an index over its journal, which holds the bytes.</summary>
/// <remarks>Any thread reads; the thread that owns the journal writes. A stream costs about 600 bytes here, and 20 a slot.</remarks>
/// <param name="pageRows">Rows of an index that are written together, once, by a checkpoint; it may change from one start to the next. Default 512: 10 KiB.</param>
public sealed class BatchStore(int pageRows = 512)
{
    /// <summary>Tips whose certificates are in memory: the ones that rose last, which are asked for most.</summary>
    private const int RecentTipsMax = 1024;

    private readonly StreamTable<StreamLog> _streams = new();
    private readonly PublisherStreams _publishers = new(); // the same
    private readonly Queue<StreamTip> _recent = new(); // bound: RecentTipsMax
    private readonly ConcurrentDictionary<Topic, TopicStreams> _topics = new();
    private readonly List<TopicStreams> _shown = []; // the same, in the order in which they came
    private List<TopicStreams> _touched = []; // bound: each topic once

    /// <summary>Streams of which something is recorded.</summary>
    public int StreamCount => _streams.Count;

    /// <summary>All streams, by id.</summary>
    public IEnumerable<StreamLog> Streams => _streams;

    /// <summary>What is stored and cannot be read.</summary>
    public StoreDamages Damages { get; } = new();

    public bool TryFind(StreamId stream, [NotNullWhen(true)] out StreamLog? log) => _streams.TryGetValue(stream, out log);

    /// <summary>The certificate of just this batch is recorded, durable or not, or its slot is stored: more acks of it change nothing.</summary>
    public bool IsCertified(BatchRef batch) => _streams.TryGetValue(batch.Stream, out StreamLog? log) && (batch.Sequence < log.End || log.RecordedTip == batch);

    /// <summary>The slot is at or below the stored tip of its stream.</summary>
    public bool IsStored(Slot slot) => _streams.TryGetValue(slot.Stream, out StreamLog? log) && slot.Sequence < log.End;

    /// <summary>Streams of a topic of which something is stored. Their number only rises, and their order stays.</summary>
    public int StreamCountOf(Topic topic) => _topics.TryGetValue(topic, out TopicStreams? streams) ? (int)streams.Count : 0;

    /// <param name="topic">A topic with streams.</param>
    /// <param name="index">Below a <see cref="StreamCountOf"/> that the caller has read.</param>
    public StreamLog StreamOf(Topic topic, int index) => _topics[topic][index];

    /// <summary>A publisher's streams in a topic, whether anything of them is stored or not, the newest incarnation first. For the thread that owns the journal.</summary>
    public IEnumerable<StreamLog> StreamsOf(Topic topic, PublicKey publisher) => _publishers.NewestFirst(topic, publisher);

    /// <summary>W7: a stored tip is durable; from now on readers see what it covers.</summary>
    public void OnStoredTip(StoredTip tip)
    {
        ArgumentNullException.ThrowIfNull(tip);
        StreamLog log = _streams[tip.Header.Id];
        bool isNew = log.Tip is null;
        log.OnStoredTip(tip.Certificate);
        _recent.Enqueue(log.TipInMemory!);
        if (_recent.Count > RecentTipsMax)
        {
            _recent.Dequeue().Forget();
        }

        if (isNew)
        {
            Show(log);
        }

        TopicStreams topic = log.Streams!;
        topic.OnStored(log);
        if (!topic.IsTouched)
        {
            topic.IsTouched = true;
            _touched.Add(topic);
        }
    }

    /// <summary>Topics of which something is stored. For the thread that owns the journal.</summary>
    internal IReadOnlyList<TopicStreams> Topics => _shown;

    /// <summary>Topics in which a tip rose since this was asked last. For the thread that owns the journal.</summary>
    internal IReadOnlyList<TopicStreams> TakeTouched()
    {
        List<TopicStreams> touched = _touched;
        touched.ForEach(topic => topic.IsTouched = false);
        _touched = [];
        return touched;
    }

    internal int PageRows => pageRows;

    /// <summary>Null until it is replayed.</summary>
    internal Journal? Journal { get; private set; }

    internal StreamLog this[StreamId stream] => _streams[stream];

    /// <summary>W11: nothing of the stream was ever certified, and nothing will be acked in it again.</summary>
    internal void Forget(StreamId stream)
    {
        if (_streams.TryGetValue(stream, out StreamLog? log) && log.RecordedTip is null)
        {
            _streams.Remove(stream);
            _publishers.Remove(log);
        }
    }

    internal void OnBatch(VerifiedStatement statement, Sequence? ackBase, JournalPosition statementAt, JournalPosition bodyAt) =>
        LogOf(statement.Statement.Header).OnBatch(statement, ackBase, StoredSlot.At(statementAt, bodyAt));

    internal void OnCertificate(VerifiedCertificate certificate, JournalPosition position, long now) =>
        _streams[certificate.Batch.Stream].OnCertificate(certificate, position, now);

    /// <summary>S3: bodies below the floor are not kept.</summary>
    internal void Skip(StreamHeader header, Sequence floor) => LogOf(header).Skip(floor);

    internal void OnSkipped(VerifiedStatement statement, JournalPosition at) =>
        LogOf(statement.Statement.Header).OnBatch(statement, null, StoredSlot.At(at));

    internal void OnJump(JumpRecord jump, JournalPosition position, long now) => LogOf(jump.Header).OnCertificate(jump.Certificate, position, now, isJump: true);

    /// <summary>S2: a stream as a checkpoint has it.</summary>
    internal void Restore(StoredStream stream)
    {
        StreamLog log = LogOf(stream.Header);
        log.Restore(stream.Index, stream.Floor, stream.Tip);
        if (stream.Tip is not null)
        {
            Show(log);
        }
    }

    /// <summary>The journal is replayed: reading begins.</summary>
    internal void Attach(Journal journal)
    {
        _publishers.Sort();
        Journal = journal;
    }

    private StreamLog LogOf(StreamHeader header)
    {
        if (!_streams.TryGetValue(header.Id, out StreamLog? log))
        {
            log = new StreamLog(header, this);
            _publishers.Add(log);
            _streams.TryAdd(log);
        }

        return log;
    }

    private void Show(StreamLog log)
    {
        TopicStreams topic = _topics.GetOrAdd(log.Header.Topic, static _ => new TopicStreams());
        if (topic.Count == 0)
        {
            _shown.Add(topic);
        }

        log.Join(topic);
    }
}
