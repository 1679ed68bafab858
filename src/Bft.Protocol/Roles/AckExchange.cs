using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>W8: my acks that no certificate covers are told to the peers again, ever more slowly: one lost message must not stop a stream.</summary>
internal sealed class AckExchange
{
    /// <summary>Unit: ticks.</summary>
    private const int FirstTicks = 50;

    /// <summary>Unit: ticks.</summary>
    private const int MaxTicks = 1000;

    /// <summary>Most acks told again in one tick.</summary>
    private const int AgainMax = 32;

    private readonly SortedList<StreamId, Waiting> _waiting = []; // walked at every tick
    private long _tick;

    /// <summary>An ack of the stream was told for the first time.</summary>
    public void OnSigned(WitnessStream stream)
    {
        if (!_waiting.ContainsKey(stream.Witness.Id))
        {
            _waiting.Add(stream.Witness.Id, new Waiting(stream, _tick));
        }
    }

    /// <summary>What is not certified is in streams that wait: the idle ones are not looked at.</summary>
    public void OnPeerConnected(WitnessIndex peer, WitnessEffects effects) =>
        effects.PeerResends.AddRange(_waiting.Values.SelectMany(waiting => Bundles(waiting.Signed)).Select(bundle => ((WitnessIndex?)peer, bundle)));

    public void OnTick(WitnessEffects effects)
    {
        _tick++;
        int left = AgainMax;
        for (int i = 0; i < _waiting.Count && left > 0; i++)
        {
            Waiting waiting = _waiting.GetValueAtIndex(i);
            if (!waiting.IsDue(_tick))
            {
                continue;
            }

            VerifiedAck[] uncovered = waiting.Uncovered();
            if (uncovered.Length == 0 && !waiting.IsBusy)
            {
                _waiting.RemoveAt(i--);
                continue;
            }

            // The lowest: without them no higher one is certified.
            VerifiedAck[] again = [.. uncovered.Take(left)];
            left -= again.Length;
            effects.PeerResends.AddRange(Bundles(again).Select(bundle => ((WitnessIndex?)null, bundle)));
            waiting.OnTold(_tick, again.Length > 0);
        }
    }

    /// <summary>Acks under one root travel together.</summary>
    private static IEnumerable<AckBundle> Bundles(IEnumerable<VerifiedAck> acks) =>
        acks.GroupBy(ack => ack.Root).Select(group => new AckBundle(group.Key.Statement, group.Key.Signature, [.. group.Select(ack => ack.Leaf)]));

    /// <summary>A stream in which something was acked and is perhaps not certified.</summary>
    private sealed class Waiting
    {
        private readonly WitnessStream _stream;
        private BackOff _backOff = new(FirstTicks, MaxTicks);
        private Sequence _from;
        private Sequence _end;

        public Waiting(WitnessStream stream, long tick)
        {
            _stream = stream;
            _end = stream.Witness.NextOpen;
            _backOff.Reset(tick);
        }

        /// <summary>Acks go on.</summary>
        public bool IsBusy => !_stream.IsForgotten && _stream.Witness.NextOpen > _end;

        public bool IsDue(long tick) => _backOff.IsDue(tick);

        public IEnumerable<VerifiedAck> Signed => _stream.IsForgotten ? [] : _stream.Witness.SignedAcks;

        /// <summary>Not what was acked only lately: it is on its way.</summary>
        public VerifiedAck[] Uncovered() =>
            _stream.IsForgotten ? [] : [.. _stream.Witness.SignedAcks.Where(ack => ack.Batch.Sequence < _end && !_stream.Witness.IsCovered(ack.Batch.Sequence))];

        public void OnTold(long tick, bool any)
        {
            bool isProgress = _stream.Witness.StoredEnd > _from;
            _from = _stream.Witness.StoredEnd;
            _end = _stream.Witness.NextOpen;
            if (isProgress || !any)
            {
                _backOff.Reset(tick);
            }
            else
            {
                _backOff.Postpone(tick);
            }
        }
    }
}
