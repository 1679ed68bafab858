using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;

namespace Bft.Client;

/// <summary>"From now on": behind the highest proven tip that n − f witnesses show, stream by stream.</summary>
/// <remarks>A witness has shown all it has when it says nothing (a heartbeat), or shows a stream again. Bounded by what is really certified in the topic: a tip is verified when it comes.</remarks>
internal sealed class LatestTips(Committee committee, AckVerifier verifier)
{
    private readonly OrderedDictionary<(StreamId Stream, WitnessIndex From), QuorumCertificate> _tips = [];
    private WitnessSet _complete;

    public bool IsComplete => _complete.Count >= committee.Size.Responsive;

    /// <summary>The tips shown so far.</summary>
    public IEnumerable<(WitnessIndex From, QuorumCertificate Tip)> Shown => _tips.Select(shown => (shown.Key.From, shown.Value));

    /// <summary>False when the tip proves nothing.</summary>
    public bool OnTip(WitnessIndex from, QuorumCertificate tip)
    {
        if (!verifier.TryVerify(tip, out _, out _))
        {
            return false;
        }

        if (!_tips.TryAdd((tip.Batch.Stream, from), tip))
        {
            _tips[(tip.Batch.Stream, from)] = tip;
            OnHeartbeat(from);
        }

        return true;
    }

    public void OnHeartbeat(WitnessIndex from) => _complete = _complete.With(from);

    public Cursor ToCursor(Topic topic)
    {
        Cursor cursor = new(topic);
        foreach (QuorumCertificate tip in _tips.Values.OrderByDescending(tip => tip.Batch.Sequence))
        {
            if (cursor.PositionOf(tip.Batch.Stream).Next <= tip.Batch.Sequence)
            {
                cursor.Advance(tip.Batch);
            }
        }

        return cursor;
    }
}
