using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What one subscription gets: its own cursors into the store, one ordered path for history and live (R7). Only covered, durable batches are in the store (W7).</summary>
internal sealed class SubscriptionFeed
{
    private readonly BatchStore _store;
    private readonly StartFrame _start;
    private readonly Dictionary<StreamId, Sequence> _asked; // bound: FrameLimits.CursorsMax
    private readonly List<Cursor> _cursors = [];            // bound: the topic's streams
    private readonly TipList _told = new();                 // bound: the topic's streams
    private readonly int _present;

    public SubscriptionFeed(BatchStore store, StartFrame start)
    {
        _store = store;
        _start = start;
        _asked = start.Cursors.DistinctBy(cursor => cursor.Stream).ToDictionary(cursor => cursor.Stream, cursor => cursor.Sequence);
        _present = start.From == StartPosition.Latest ? store.StreamCountOf(start.Topic) : 0;
        AddStreams();
    }

    /// <summary>Why a client may not subscribe; null when it may.</summary>
    /// <param name="cluster">Its policies.</param>
    /// <param name="start">What it asks for.</param>
    /// <param name="client">Who asks.</param>
    /// <param name="peer">Who that is among the witnesses, which read everything; null for others.</param>
    public static EndFrame? WhyRefused(ClusterFile cluster, StartFrame start, PublicKey client, WitnessIndex? peer) =>
        peer is not null || cluster.MayRead(start.Topic, client) ? null
        : new EndFrame(EndReason.NotAllowed, cluster.HasPolicyFor(start.Topic)
            ? $"the policy of the topic '{start.Topic}' does not let this client read"
            : $"no policy in cluster.yaml covers the topic '{start.Topic}'");

    /// <summary>One range of each stream that has news: a busy stream does not starve the others. Empty when there is none.</summary>
    /// <exception cref="StoreDamageException">While it is enumerated: the disk gave other bytes.</exception>
    public IEnumerable<Served<ISubscribeReply>> NextRound()
    {
        AddStreams();
        foreach (Cursor cursor in _cursors)
        {
            if (!_start.WithBodies)
            {
                // R4: only the last tip of a stream matters.
                if (cursor.Log.Tip is { } tip && tip.Batch.Sequence >= cursor.Next)
                {
                    yield return new Served<ISubscribeReply>(new TipFrame(tip.Certificate.Bytes));
                    cursor.Next = tip.Batch.Sequence.Following;
                    _told.Set(tip.Batch);
                }
            }
            else if (cursor.Next < cursor.Log.Floor)
            {
                // S2: asking below the floor is an error that names it; what is kept follows.
                Sequence floor = cursor.Log.Floor;
                yield return new Served<ISubscribeReply>(StoredFrames.Floor(cursor.Log, floor));
                cursor.Next = floor;
            }
            else if (cursor.Log.RangeFrom(cursor.Next) is { } range)
            {
                foreach (Served<ISubscribeReply> served in Served<ISubscribeReply>.Range(cursor.Log, range, range.To))
                {
                    yield return served;
                    cursor.Next = served.Frame is BodyFrame ? cursor.Next.Following : cursor.Next;
                }
            }
        }
    }

    /// <summary>Between two rounds. R4: with the digest over the tips that were told, so that both sides know that none is missing.</summary>
    public HeartbeatFrame ToHeartbeat() => _start.WithBodies ? new HeartbeatFrame() : new HeartbeatFrame(_told.ToDigest());

    private void AddStreams()
    {
        int count = _store.StreamCountOf(_start.Topic);
        while (_cursors.Count < count)
        {
            StreamLog log = _store.StreamOf(_start.Topic, _cursors.Count);
            Sequence next = !_start.WithBodies ? Sequence.Zero
                : _cursors.Count < _present ? log.End
                : _asked.GetValueOrDefault(log.Header.Id, Sequence.Zero);
            _cursors.Add(new Cursor(log) { Next = next });
        }
    }

    private sealed class Cursor(StreamLog log)
    {
        public StreamLog Log { get; } = log;

        public Sequence Next { get; set; }
    }
}
