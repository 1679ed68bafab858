using Bft.Configuration;
using Bft.Crypto;
using Bft.Protocol.Certifying;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Storage;
using Bft.Wire.Frames;

namespace Bft.Node;

/// <summary>What one subscription gets: its own cursors into the store, one ordered path for history and live (R7). Only covered, durable batches are in the store (W7).</summary>
internal sealed class SubscriptionFeed
{
    private const long RoundBytes = 512 * 1024; // then news is looked for again
    private const long TurnBytes = 64 * 1024;

    private readonly BatchStore _store;
    private readonly Func<ClusterFile> _cluster;
    private readonly StartFrame _start;
    private readonly Dictionary<StreamId, Sequence> _asked; // bound: FrameLimits.CursorsMax
    private readonly List<Cursor> _cursors = [];            // bound: the topic's streams
    private readonly Dictionary<PublicKey, Share> _shares = []; // bound: the topic's streams
    private readonly PriorityQueue<Share, (Int128 End, int Number)> _order = new();
    private readonly FairTime _time = new();
    private readonly TipList _told = new();                 // bound: the topic's streams
    private readonly int _present;

    /// <param name="store">What is stored.</param>
    /// <param name="cluster">As it was read last: the publishers' weights.</param>
    /// <param name="start">What the subscriber asks for.</param>
    public SubscriptionFeed(BatchStore store, Func<ClusterFile> cluster, StartFrame start)
    {
        _store = store;
        _cluster = cluster;
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

    /// <summary>
    /// Some of what is new, the publishers in fair order by their weights, a publisher's streams in turn: a publisher of little is served before the backlogs of others. Within a stream by sequence. Empty when
    /// there is nothing new.
    /// </summary>
    /// <exception cref="StoreDamageException">While it is enumerated: the disk gave other bytes.</exception>
    public IEnumerable<Served<ISubscribeReply>> NextRound()
    {
        AddStreams();
        return _start.WithBodies ? Bodies() : Tips();
    }

    /// <summary>Between two rounds. R4: with the digest over the tips that were told, so that both sides know that none is missing.</summary>
    public HeartbeatFrame ToHeartbeat() => _start.WithBodies ? new HeartbeatFrame() : new HeartbeatFrame(_told.ToDigest());

    /// <summary>R4: only the last tip of a stream matters.</summary>
    private IEnumerable<Served<ISubscribeReply>> Tips()
    {
        foreach (Cursor cursor in _cursors)
        {
            if (cursor.Log.End > cursor.Next && cursor.Log.TryReadTip(out VerifiedCertificate? tip) && tip.Batch.Sequence >= cursor.Next)
            {
                yield return new Served<ISubscribeReply>(new TipFrame(tip.Certificate.Bytes));
                cursor.Next = tip.Batch.Sequence.Following;
                _told.Set(tip.Batch);
            }
        }
    }

    private IEnumerable<Served<ISubscribeReply>> Bodies()
    {
        // R4: the floors of all streams first. A subscriber that meets a gap leaves, and each floor counts.
        foreach (Cursor cursor in _cursors)
        {
            if (cursor.TryServeFloor(out Served<ISubscribeReply> floor))
            {
                yield return floor;
            }
        }

        LookForNews();
        for (long served = 0; served < RoundBytes && _order.TryDequeue(out Share? share, out _);)
        {
            long turn = 0;
            Int128 start = _time.StartOf(share.Publisher);
            Cursor cursor = share.Waiting.Dequeue();
            while (turn < TurnBytes && cursor.TryServe(out Served<ISubscribeReply> next))
            {
                turn += BytesOf(next.Frame);
                yield return next with { IsLast = next.IsLast || turn >= TurnBytes };
            }

            cursor.IsWaiting = cursor.HasNews;
            if (cursor.IsWaiting)
            {
                share.Waiting.Enqueue(cursor);
            }

            served += turn;
            _time.AdvanceTo(start);
            _time.Charge(share.Publisher, FairTime.EndOf(start, turn, WeightOf(share)));
            Enqueue(share);
        }

        if (_order.Count == 0)
        {
            _time.OnIdle();
        }
    }

    private void LookForNews()
    {
        foreach (Cursor cursor in _cursors)
        {
            if (!cursor.IsWaiting && cursor.HasNews)
            {
                cursor.IsWaiting = true;
                cursor.Share.Waiting.Enqueue(cursor);
                if (cursor.Share.Waiting.Count == 1)
                {
                    Enqueue(cursor.Share);
                }
            }
        }
    }

    private void Enqueue(Share share)
    {
        if (share.Waiting.Count > 0)
        {
            _order.Enqueue(share, (FairTime.EndOf(_time.StartOf(share.Publisher), share.Waiting.Peek().NextBytes, WeightOf(share)), share.Number));
        }
    }

    private int WeightOf(Share share) => _cluster().ClientOf(share.Publisher)?.Weight ?? 1;

    private static int BytesOf(ISubscribeReply frame) => frame switch
    {
        BodyFrame body => FrameBytes.Overhead + body.Body.Length,
        CertifiedFrame certified => FrameBytes.Of(certified),
        _ => FrameBytes.Overhead,
    };

    private void AddStreams()
    {
        int count = _store.StreamCountOf(_start.Topic);
        while (_cursors.Count < count)
        {
            StreamLog log = _store.StreamOf(_start.Topic, _cursors.Count);
            Sequence next = !_start.WithBodies ? Sequence.Zero
                : _cursors.Count < _present ? log.End
                : _asked.GetValueOrDefault(log.Header.Id, Sequence.Zero);
            PublicKey publisher = log.Header.Publisher;
            if (!_shares.TryGetValue(publisher, out Share? share))
            {
                _shares.Add(publisher, share = new Share(publisher, _shares.Count));
            }

            _cursors.Add(new Cursor(log, share) { Next = next });
        }
    }

    /// <summary>A publisher's part of the subscription.</summary>
    private sealed class Share(PublicKey publisher, int number)
    {
        public PublicKey Publisher { get; } = publisher;

        public int Number { get; } = number;

        /// <summary>Its streams that have something new, in turn.</summary>
        public Queue<Cursor> Waiting { get; } = new();
    }

    private sealed class Cursor(StreamLog log, Share share)
    {
        private IEnumerator<Served<ISubscribeReply>>? _range; // being served

        public StreamLog Log { get; } = log;

        public Share Share { get; } = share;

        public Sequence Next { get; set; }

        public bool IsWaiting { get; set; }

        public bool HasNews => _range is not null || Next < Log.Floor || Log.RangeFrom(Next) is not null;

        /// <summary>About what its next turn costs. Unit: bytes.</summary>
        public int NextBytes => FrameBytes.Overhead + (Next < Log.End ? Log.BodyLength(Next) : 0);

        /// <summary>S2: asking below the floor is an error that names it; what is kept follows. False when the next slot is kept.</summary>
        public bool TryServeFloor(out Served<ISubscribeReply> next)
        {
            if (_range is not null || Next >= Log.Floor)
            {
                next = default;
                return false;
            }

            Next = Log.Floor;
            next = new Served<ISubscribeReply>(StoredFrames.Floor(Log, Next));
            return true;
        }

        /// <summary>The next frame; false when there is no news.</summary>
        public bool TryServe(out Served<ISubscribeReply> next)
        {
            while (!TryServeFloor(out next))
            {
                if (_range is null)
                {
                    if (Log.RangeFrom(Next) is not { } range)
                    {
                        return false;
                    }

                    _range = Served<ISubscribeReply>.Range(Log, range, range.To).GetEnumerator();
                }

                if (_range.MoveNext())
                {
                    next = _range.Current;
                    Next = next.Frame is BodyFrame ? Next.Following : Next;
                    return true;
                }

                _range.Dispose();
                _range = null;
            }

            return true;
        }
    }
}
