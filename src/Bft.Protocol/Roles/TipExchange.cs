using Bft.Crypto;
using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Verification;
using Bft.Protocol.Witnessing;

namespace Bft.Protocol.Roles;

/// <summary>W8: stored tips, told to the peers: the changes often, a digest over all in each heartbeat, and some of them again while a peer's digest differs.</summary>
internal sealed class TipExchange(Committee committee)
{
    /// <summary>Tips that rose are told this often. Unit: ticks.</summary>
    private const int ChangesTicks = 10;

    /// <summary>Unit: ticks.</summary>
    private const int HeartbeatTicks = 50;

    /// <summary>Most tips told again at one heartbeat.</summary>
    private const int AgainMax = 64;

    /// <summary>To a peer whose connection opened all tips are told, about so much of them in one tick: what it takes in may not follow how many streams there are. Unit: bytes.</summary>
    private const int TickBytesMax = 128 * 1024;

    private readonly TipTable _tips = new();
    private readonly int _tickMax = Math.Max(1, TickBytesMax / (committee.Size.Quorum * QuorumCertificate.EntryLengthUsual));
    private readonly StreamTable<StreamWitness> _risen = new();
    private readonly int[] _differs = new int[committee.Size.Count];
    private readonly int[] _next = new int[committee.Size.Count];
    private readonly int?[] _telling = new int?[committee.Size.Count]; // how many of all tips the peer was told since it connected; null when it was told all
    private int _ticks;

    public void OnRisen(StreamWitness stream)
    {
        _tips.OnRisen(stream);
        _risen.TryAdd(stream);
    }

    /// <summary>A tip that was stored before this run.</summary>
    public void Restore(StreamWitness stream) => _tips.OnRisen(stream);

    /// <summary>It gets all tips, the first at once and the others with the ticks.</summary>
    public void OnPeerConnected(WitnessIndex peer, WitnessEffects effects)
    {
        _telling[peer.Value] = 0;
        TellMore(peer, effects);
    }

    public void OnTick(Digest offenders, WitnessEffects effects)
    {
        _ticks = (_ticks + 1) % HeartbeatTicks;
#if PLANTED
        if (Planted.Is("certificate-not-passed-on"))
        {
            return;
        }
#endif
        foreach (WitnessIndex peer in committee.Members)
        {
            TellMore(peer, effects);
        }

        if (_ticks % ChangesTicks == 0)
        {
            effects.PeerTips.AddRange(_risen.Select(stream => new PeerTip(null, stream.StoredTip!.Value)));
            _risen.Clear();
        }

        if (_ticks % HeartbeatTicks == 0)
        {
            effects.PeerHeartbeat = new PeerHeartbeat(_tips.Digest, offenders);
        }
    }

    /// <summary>A peer's heartbeat tells a digest. When it differs again and again, and not only while tips rise, it lacks some of mine, or I of its.</summary>
    public void OnDigest(WitnessIndex peer, Digest digest, WitnessEffects effects)
    {
        if (digest == _tips.Digest)
        {
            _differs[peer.Value] = 0;
            return;
        }

#if PLANTED
        if (Planted.Is("certificate-not-passed-on"))
        {
            return;
        }
#endif
        if (++_differs[peer.Value] % 2 == 0)
        {
            TellSomeAgain(peer, effects);
        }
    }

    /// <summary>Streams only come: one that becomes known meanwhile may make another be told twice, and none be left out.</summary>
    private void TellMore(WitnessIndex peer, WitnessEffects effects)
    {
        if (_telling[peer.Value] is not { } told)
        {
            return;
        }

        effects.PeerTips.AddRange(_tips.From(told).Take(_tickMax).Select(tip => new PeerTip(peer, tip)));
        _telling[peer.Value] = told + _tickMax < _tips.Count ? told + _tickMax : null;
    }

    /// <summary>The next few in the order of streams, and from the first again after the last: one walk, since it is a peer that asks for it.</summary>
    private void TellSomeAgain(WitnessIndex peer, WitnessEffects effects)
    {
        int count = Math.Min(AgainMax, _tips.Count);
        int first = _tips.Count == 0 ? 0 : _next[peer.Value] % _tips.Count;
        effects.PeerTips.AddRange(_tips.From(first).Concat(_tips.From(0)).Take(count).Select(tip => new PeerTip(peer, tip)));
        _next[peer.Value] = first + count;
    }
}
