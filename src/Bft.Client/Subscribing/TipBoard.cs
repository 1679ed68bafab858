using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Roles;
using Bft.Protocol.Verification;

namespace Bft.Client;

/// <summary>Tips that name what is not known covered yet. Most become known with the next range, without a look at their signatures; the rest is verified on a later tick.</summary>
/// <remarks>Bounded: at most <see cref="WaitingMax"/> per witness, about 1 KiB each; a tip beyond is verified at once, and one that does not hold ends its session.</remarks>
internal sealed class TipBoard(Committee committee, AckVerifier verifier)
{
    /// <summary>A tip waits this long for the range that it names. Unit: ticks.</summary>
    private const int PatienceTicks = 2;

    /// <summary>Most tips verified in one tick: about 30 × a quorum × 50 µs.</summary>
    private const int VerifiedPerTickMax = 30;

    private const int WaitingMax = 1024;

    private readonly Dictionary<StreamId, QuorumCertificate?[]> _waiting = [];
    private readonly Queue<(StreamId Stream, WitnessIndex From, long Since)> _order = new();
    private readonly int[] _waitingOf = new int[committee.Size.Count];
    private long _now;

    public void OnTip(WitnessIndex from, QuorumCertificate tip, ReceiverRole role, ReceiverEffects effects)
    {
        if (role.IsKnownCovered(tip.Batch))
        {
            role.OnKnownTip(from, tip.Batch, effects);
            return;
        }

        bool isKnownStream = _waiting.TryGetValue(tip.Batch.Stream, out QuorumCertificate?[]? tips);
        if (_waitingOf[from.Value] >= WaitingMax && tips?[from.Value] is null)
        {
            Judge(from, tip, role, effects);
            return;
        }

        if (!isKnownStream)
        {
            tips = new QuorumCertificate?[committee.Size.Count];
            _waiting.Add(tip.Batch.Stream, tips);
        }

        if (tips![from.Value] is null)
        {
            _order.Enqueue((tip.Batch.Stream, from, _now));
            _waitingOf[from.Value]++;
        }

        tips[from.Value] = tip;
    }

    /// <summary>More of this stream is known covered.</summary>
    public void OnCovered(StreamId stream, ReceiverRole role, ReceiverEffects effects)
    {
        if (!_waiting.TryGetValue(stream, out QuorumCertificate?[]? tips))
        {
            return;
        }

        for (int i = 0; i < tips.Length; i++)
        {
            if (tips[i] is { } tip && role.IsKnownCovered(tip.Batch))
            {
                tips[i] = null;
                role.OnKnownTip(new WitnessIndex(i), tip.Batch, effects);
            }
        }
    }

    /// <summary>Verifies what has waited long enough: these tips show that the serving witness lags, or that there are streams which it hides (R4).</summary>
    public void OnTick(ReceiverRole role, ReceiverEffects effects)
    {
        _now++;
        for (int i = 0; i < VerifiedPerTickMax && _order.TryPeek(out (StreamId Stream, WitnessIndex From, long Since) oldest) && oldest.Since + PatienceTicks < _now; i++)
        {
            _order.Dequeue();
            _waitingOf[oldest.From.Value]--;
            if (!_waiting.TryGetValue(oldest.Stream, out QuorumCertificate?[]? tips))
            {
                continue;
            }

            if (tips[oldest.From.Value] is { } tip)
            {
                tips[oldest.From.Value] = null;
                Judge(oldest.From, tip, role, effects);
            }

            if (Array.TrueForAll(tips, tip => tip is null))
            {
                _waiting.Remove(oldest.Stream);
            }
        }
    }

    private void Judge(WitnessIndex from, QuorumCertificate tip, ReceiverRole role, ReceiverEffects effects)
    {
        if (verifier.TryVerify(tip, out VerifiedCertificate? verified, out RejectReason reason))
        {
            role.OnTip(from, verified, effects);
        }
        else
        {
            effects.Misbehaved.Add(new Misbehaved(from, reason));
        }
    }
}
