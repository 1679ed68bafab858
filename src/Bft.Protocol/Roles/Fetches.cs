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

    /// <summary>A fetch lasts at most so many time-outs.</summary>
    private const int TimeoutsMax = 5;

    /// <summary>Most doublings of the wait before what nobody had is asked for again.</summary>
    private const int DoublingsMax = 6;

    private readonly SortedDictionary<(StreamId Stream, Sequence From, Digest Batch), Pursuit> _pursuits = [];
    private int _running;
    private int _id;

    /// <summary>A stream may be behind.</summary>
    public void Want(WitnessStream stream)
    {
        if (stream.Witness.IsBehind && !_pursuits.ContainsKey((stream.Witness.Id, Sequence.Zero, default)))
        {
            _pursuits.Add((stream.Witness.Id, Sequence.Zero, default), new Pursuit(stream, null));
            stream.Skipping = null;
        }
    }

    /// <summary>W6: f + 1 witnesses acked a batch that is not here.</summary>
    public void Want(WitnessStream stream, BatchRef batch)
    {
        if (stream.Witness.Lacks(batch))
        {
            _pursuits.TryAdd((batch.Stream, batch.Sequence, batch.Digest), new Pursuit(stream, batch));
        }
    }

    /// <summary>A fetch ended: the peer had no more, or failed.</summary>
    public void OnEnded(FetchOrder order)
    {
        foreach (Pursuit pursuit in _pursuits.Values)
        {
            Remove(pursuit, order);
        }
    }

    public void OnTick(WitnessEffects effects)
    {
        if (_pursuits.Count == 0)
        {
            return;
        }

        foreach ((var key, Pursuit pursuit) in _pursuits.ToArray())
        {
            if (pursuit.IsDone)
            {
                foreach (Running running in pursuit.Running.ToArray())
                {
                    Abandon(pursuit, running, effects);
                }

                _pursuits.Remove(key);
                continue;
            }

            pursuit.OnTick();
            foreach (Running running in pursuit.Running.Where(running => running.Quiet > limits.FetchTimeoutTicks || running.Age > TimeoutsMax * limits.FetchTimeoutTicks).ToArray())
            {
                Abandon(pursuit, running, effects);
            }

            if (_running < AtOnceMax && IsDue(pursuit))
            {
                Begin(pursuit, effects);
            }
        }
    }

    /// <summary>The first one is due when what is missing did not come by itself; the second when the first brings nothing.</summary>
    private bool IsDue(Pursuit pursuit)
    {
        int doublings = Math.Min(pursuit.Tries / (committee.Size.Count - 1), DoublingsMax);
        return pursuit.Running.Count switch
        {
            _ when !pursuit.IsKnownElsewhere => false,
            0 => pursuit.TicksMissing > limits.FetchAfterTicks << doublings || (pursuit.Tries == 0 && pursuit.IsFarBehind(committee)),
            1 => pursuit.Running[0].Quiet > limits.FetchTimeoutTicks / 2,
            _ => false,
        };
    }

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
                pursuit.TicksMissing = 0;
                pursuit.Tries++;
                _running++;
                effects.Fetches.Add(order);
                return;
            }
        }
    }

    private void Abandon(Pursuit pursuit, Running running, WitnessEffects effects)
    {
        effects.Abandoned.Add(running.Order);
        Remove(pursuit, running.Order);
    }

    private void Remove(Pursuit pursuit, FetchOrder order) => _running -= pursuit.Running.RemoveAll(running => running.Order == order);

    private sealed class Running(FetchOrder order)
    {
        public FetchOrder Order => order;

        /// <summary>Ticks without progress.</summary>
        public int Quiet { get; set; }

        public int Age { get; set; }
    }

    /// <summary>One thing that is missing: all that is certified in a stream, or one batch.</summary>
    private sealed class Pursuit(WitnessStream stream, BatchRef? batch)
    {
        private Sequence _missing = stream.Witness.FirstMissing;

        public WitnessStream Stream => stream;

        public BatchRef? Batch => batch;

        public List<Running> Running { get; } = [];

        public int TicksMissing { get; set; }

        /// <summary>Fetches begun since the last progress.</summary>
        public int Tries { get; set; }

        public Sequence Missing => batch?.Sequence ?? stream.Witness.FirstMissing;

        public bool IsDone => stream.IsForgotten || (batch is { } one ? !stream.Witness.Lacks(one) : !stream.Witness.IsBehind);

        /// <summary>Not only the flush is missing.</summary>
        public bool IsKnownElsewhere => batch is not null || Missing < stream.Witness.CertifiedEnd;

        public bool IsFarBehind(Committee committee) => batch is null && stream.Witness.CertifiedEnd.Value > Missing.Value + (ulong)committee.Limits.WindowSlots;

        public bool MayHave(WitnessIndex peer) =>
            batch is not { } one || stream.Collector.AckOf(peer, one.Sequence) is not { } ack || ack.Batch == one;

        public void OnTick()
        {
            bool isProgress = Missing > _missing;
            _missing = Missing;
            TicksMissing = isProgress ? 0 : TicksMissing + 1;
            Tries = isProgress ? 0 : Tries;
            foreach (Running running in Running)
            {
                running.Quiet = isProgress ? 0 : running.Quiet + 1;
                running.Age++;
            }
        }
    }
}
