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

    private const int EntryLength = (2 * Digest.Length) + 8;

    private readonly SortedDictionary<StreamId, VerifiedCertificate> _tips = [];
    private readonly SortedSet<StreamId> _risen = [];
    private readonly int[] _differs = new int[committee.Size.Count];
    private readonly int[] _next = new int[committee.Size.Count];
    private Digest? _digest;
    private int _ticks;

    /// <summary>Over the stored tips; layout in docs/wire.md.</summary>
    private Digest Digest => _digest ??= MakeDigest();

    public void OnRisen(VerifiedCertificate tip)
    {
        Restore(tip);
        _risen.Add(tip.Batch.Stream);
    }

    /// <summary>A tip that was stored before this run.</summary>
    public void Restore(VerifiedCertificate tip)
    {
        _tips[tip.Batch.Stream] = tip;
        _digest = null;
    }

    public void OnPeerConnected(WitnessIndex peer, WitnessEffects effects) => effects.PeerTips.AddRange(_tips.Values.Select(tip => new PeerTip(peer, tip)));

    public void OnTick(Digest offenders, WitnessEffects effects)
    {
        _ticks = (_ticks + 1) % HeartbeatTicks;
#if PLANTED
        if (Planted.Is("certificate-not-passed-on"))
        {
            return;
        }
#endif
        if (_ticks % ChangesTicks == 0)
        {
            effects.PeerTips.AddRange(_risen.Select(id => new PeerTip(null, _tips[id])));
            _risen.Clear();
        }

        if (_ticks % HeartbeatTicks == 0)
        {
            effects.PeerHeartbeat = new PeerHeartbeat(Digest, offenders);
        }
    }

    /// <summary>A peer's heartbeat tells a digest. When it differs again and again, and not only while tips rise, it lacks some of mine, or I of its.</summary>
    public void OnDigest(WitnessIndex peer, Digest digest, WitnessEffects effects)
    {
        if (digest == Digest)
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

    /// <summary>The next few in the order of streams, and from the first again after the last: one walk, since it is a peer that asks for it.</summary>
    private void TellSomeAgain(WitnessIndex peer, WitnessEffects effects)
    {
        int count = Math.Min(AgainMax, _tips.Count);
        int first = _tips.Count == 0 ? 0 : _next[peer.Value] % _tips.Count;
        effects.PeerTips.AddRange(_tips.Values.Skip(first).Concat(_tips.Values.Take(first)).Take(count).Select(tip => new PeerTip(peer, tip)));
        _next[peer.Value] = first + count;
    }

    private Digest MakeDigest()
    {
        byte[] entries = new byte[EntryLength * _tips.Count];
        StatementWriter writer = new(entries);
        foreach (VerifiedCertificate tip in _tips.Values)
        {
            writer.BatchRef(tip.Batch);
        }

        return Sha256.Hash(entries);
    }
}
