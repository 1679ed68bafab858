using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>What is missing is asked of one peer after the other, so that one that is silent, slow or lies is left behind. Rules W5, W6 and W8, S1.</summary>
/// <remarks>
/// Wanted are streams that are behind, and (W6) batches that f + 1 acked: at least one correct witness has each, so their number is bounded as its acks are.
/// A fetch that brings nothing for a while gets a second one beside it, later it is given up; so is one that has lasted long, for a trickle is progress too.
/// </remarks>
internal sealed class Fetches(Committee committee, WitnessIndex self, NodeLimits limits)
{
    /// <summary>Most fetches under way.</summary>
    private const int AtOnceMax = 8;

    /// <summary>What is missing is waited for so many times longer at most when much is.</summary>
    private const int CrowdMax = 10;

    /// <summary>A fetch lasts at most so many time-outs.</summary>
    private const int TimeoutsMax = 5;

    /// <summary>Most doublings of the wait before what nobody had is asked for again.</summary>
    private const int DoublingsMax = 6;

    /// <summary>Most doublings of the time-out: a peer may be so far away that a session takes longer.</summary>
    private const int TimeoutDoublingsMax = 3;

    /// <summary>Most pursuits looked at in one go: what a tick costs does not follow how many streams are behind.</summary>
    private const int LookedAtMax = 256;

    private readonly Dictionary<(StreamId Stream, Sequence From, Digest Batch), Pursuit> _pursuits = [];
    private readonly Queue<Pursuit> _turns = new(); // the same, in the order of their turns
    private readonly List<Pursuit> _busy = [];      // those with a fetch under way
    private long _tick;
    private int _running;
    private int _id;

    /// <summary>A stream may be behind.</summary>
    public void Want(WitnessStream stream)
    {
        if (stream.Witness.IsBehind && !_pursuits.ContainsKey((stream.Witness.Id, Sequence.Zero, default)))
        {
            Add(new Pursuit(stream, null, _tick));
            stream.Skipping = null;
        }
    }

    /// <summary>W6: f + 1 witnesses acked a batch that is not here.</summary>
    public void Want(WitnessStream stream, BatchRef batch)
    {
        if (stream.Witness.Lacks(batch) && !_pursuits.ContainsKey((batch.Stream, batch.Sequence, batch.Digest)))
        {
            Add(new Pursuit(stream, batch, _tick));
        }
    }

    /// <summary>A fetch ended: the peer had no more, or failed. Its place goes to the next that is due.</summary>
    public void OnEnded(FetchOrder order, WitnessEffects effects)
    {
        if (_pursuits.TryGetValue(order.Batch is { } batch ? (order.Stream, order.From, batch) : (order.Stream, Sequence.Zero, default), out Pursuit? pursuit))
        {
            Remove(pursuit, order);
            for (int i = Math.Min(_turns.Count, LookedAtMax); i > 0 && _running < AtOnceMax; i--)
            {
                TakeTurn(effects);
            }
        }
    }

    public void OnTick(WitnessEffects effects)
    {
        _tick++;
        foreach (Pursuit pursuit in _busy.ToArray())
        {
            pursuit.OnTick(_tick);
            int patience = limits.FetchTimeoutTicks << Math.Min(DoublingsOf(pursuit), TimeoutDoublingsMax);
            foreach (Running running in pursuit.Running.Where(running => pursuit.IsDone || running.Quiet > patience || running.Age > TimeoutsMax * patience).ToArray())
            {
                effects.Abandoned.Add(running.Order);
                Remove(pursuit, running.Order);
            }

            if (!pursuit.IsDone && _running < AtOnceMax && IsDue(pursuit))
            {
                Begin(pursuit, effects);
            }
        }

        for (int i = Math.Min(_turns.Count, LookedAtMax); i > 0; i--)
        {
            TakeTurn(effects);
        }
    }

    /// <summary>The next in turn gets a free place if it is due, and leaves when it is done.</summary>
    private void TakeTurn(WitnessEffects effects)
    {
        Pursuit pursuit = _turns.Dequeue();
        if (pursuit.IsDone && pursuit.Running.Count == 0)
        {
            _pursuits.Remove(pursuit.Key);
            return;
        }

        _turns.Enqueue(pursuit);
        pursuit.See(_tick);
        if (_running < AtOnceMax && pursuit.Running.Count == 0 && IsDue(pursuit))
        {
            Begin(pursuit, effects);
        }
    }

    private void Add(Pursuit pursuit)
    {
        _pursuits.Add(pursuit.Key, pursuit);
        _turns.Enqueue(pursuit);
    }

    /// <summary>The first one is due when what is missing did not come by itself; the second when the first brings nothing.</summary>
    private bool IsDue(Pursuit pursuit)
    {
        return pursuit.Running.Count switch
        {
            _ when !pursuit.IsKnownElsewhere => false,
            0 => _tick - pursuit.Since > Crowd * limits.FetchAfterTicks << DoublingsOf(pursuit) || (pursuit.Tries == 0 && pursuit.IsFarBehind(committee)),
            1 => pursuit.Running[0].Quiet > limits.FetchTimeoutTicks / 2,
            _ => false,
        };
    }

    /// <summary>
    /// More is missing than can be fetched at once: then it is this witness that is slow, and what is missing lies at its own door. To fetch that too would make it slower still.
    /// </summary>
    private int Crowd => Math.Min(1 + (_pursuits.Count / AtOnceMax), CrowdMax);

    /// <summary>One for each time that all peers were asked in vain: perhaps nobody has it, or all are further away than a time-out (a session takes three round trips).</summary>
    private int DoublingsOf(Pursuit pursuit) => Math.Min(pursuit.Tries / (committee.Size.Count - 1), DoublingsMax);

    private void Begin(Pursuit pursuit, WitnessEffects effects)
    {
        for (int i = 1; i < committee.Size.Count; i++)
        {
#if PLANTED
            pursuit.Stream.FetchTurn = Planted.Is("fetch-one-peer") ? 0 : pursuit.Stream.FetchTurn;
#endif
            WitnessIndex peer = new((self.Value + 1 + (pursuit.Stream.FetchTurn++ % (committee.Size.Count - 1))) % committee.Size.Count);
            if (pursuit.MayHave(peer) && pursuit.Running.TrueForAll(running => running.Order.Peer != peer))
            {
                FetchOrder order = new(pursuit.Stream.Witness.Id, pursuit.Missing, peer, pursuit.Batch?.Digest, _id++) { BodiesFrom = pursuit.Batch is null ? pursuit.Stream.Witness.BodiesFrom : Sequence.Zero };
                pursuit.Running.Add(new Running(order));
                pursuit.Since = _tick;
                pursuit.Tries++;
                _running++;
                if (pursuit.Running.Count == 1)
                {
                    _busy.Add(pursuit);
                }

                effects.Fetches.Add(order);
                return;
            }
        }
    }

    private void Remove(Pursuit pursuit, FetchOrder order)
    {
        int removed = pursuit.Running.RemoveAll(running => running.Order == order);
        _running -= removed;
        if (removed > 0 && pursuit.Running.Count == 0)
        {
            _busy.Remove(pursuit);
        }
    }

    private sealed class Running(FetchOrder order)
    {
        public FetchOrder Order => order;

        /// <summary>Ticks without progress.</summary>
        public int Quiet { get; set; }

        public int Age { get; set; }
    }

    /// <summary>One thing that is missing: all that is certified in a stream, or one batch.</summary>
    private sealed class Pursuit(WitnessStream stream, BatchRef? batch, long tick)
    {
        private Sequence _position = PositionOf(stream, batch);

        public (StreamId Stream, Sequence From, Digest Batch) Key => batch is { } one ? (one.Stream, one.Sequence, one.Digest) : (stream.Witness.Id, Sequence.Zero, default);

        public WitnessStream Stream => stream;

        public BatchRef? Batch => batch;

        public List<Running> Running { get; } = [];

        /// <summary>The tick of the last progress seen, or of the last fetch begun.</summary>
        public long Since { get; set; } = tick;

        /// <summary>Fetches begun since the last progress.</summary>
        public int Tries { get; set; }

        public Sequence Missing => batch?.Sequence ?? stream.Witness.FirstMissing;

        public bool IsDone => stream.IsForgotten || (batch is { } one ? !stream.Witness.Lacks(one) : !stream.Witness.IsBehind);

        /// <summary>Not only the flush is missing.</summary>
        public bool IsKnownElsewhere => batch is not null || Missing < stream.Witness.CertifiedEnd;

        public bool IsFarBehind(Committee committee) => batch is null && stream.Witness.CertifiedEnd.Value > Missing.Value + (ulong)committee.Limits.WindowSlots;

        public bool MayHave(WitnessIndex peer) =>
            batch is not { } one || stream.Collector.AckOf(peer, one.Sequence) is not { } ack || ack.Batch == one;

        /// <summary>What comes by itself comes in order: a batch is missing once the stream stands still below it, or has passed it by.</summary>
        private static Sequence PositionOf(WitnessStream stream, BatchRef? batch) =>
            batch is not { } one ? stream.Witness.FirstMissing : stream.Witness.NextOpen < one.Sequence ? stream.Witness.NextOpen : one.Sequence;

        /// <summary>Looks whether there is progress.</summary>
        public bool See(long now)
        {
            Sequence position = PositionOf(stream, batch);
            bool isProgress = position > _position;
            _position = position;
            if (isProgress)
            {
                Since = now;
                Tries = 0;
            }

            return isProgress;
        }

        public void OnTick(long now)
        {
            bool isProgress = See(now);
            foreach (Running running in Running)
            {
                running.Quiet = isProgress ? 0 : running.Quiet + 1;
                running.Age++;
            }
        }
    }
}
