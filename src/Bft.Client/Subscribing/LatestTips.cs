using Bft.Protocol.Membership;
using Bft.Protocol.Model;
using Bft.Protocol.Receiving;
using Bft.Protocol.Verification;

namespace Bft.Client;

/// <summary>"From now on": behind the highest proven tip that n − f witnesses show, stream by stream.</summary>
/// <remarks>A witness has shown all it has when it says nothing (a heartbeat), or shows a stream again. Bounded by <see cref="TipBoard.WaitingMax"/> tips per witness: what is beyond is delivered from its beginning.</remarks>
internal sealed class LatestTips(Committee committee, AckVerifier verifier)
{
    private readonly OrderedDictionary<(StreamId Stream, WitnessIndex From), QuorumCertificate> _tips = [];
    private readonly int[] _tipsOf = new int[committee.Size.Count];
    private WitnessSet _complete;

    public bool IsComplete => _complete.Count >= committee.Size.Responsive;

    /// <summary>The tips shown so far.</summary>
    public IEnumerable<(WitnessIndex From, QuorumCertificate Tip)> Shown => _tips.Select(shown => (shown.Key.From, shown.Value));

    public void OnTip(WitnessIndex from, QuorumCertificate tip)
    {
        if (_tips.ContainsKey((tip.Batch.Stream, from)) || _tipsOf[from.Value] == TipBoard.WaitingMax)
        {
            OnHeartbeat(from);
            return;
        }

        _tips.Add((tip.Batch.Stream, from), tip);
        _tipsOf[from.Value]++;
    }

    public void OnHeartbeat(WitnessIndex from) => _complete = _complete.With(from);

    public Cursor ToCursor(Topic topic)
    {
        Cursor cursor = new(topic);
        foreach (QuorumCertificate tip in _tips.Values.OrderByDescending(tip => tip.Batch.Sequence))
        {
            if (cursor.PositionOf(tip.Batch.Stream).Next <= tip.Batch.Sequence && verifier.TryVerify(tip, out _, out _))
            {
                cursor.Advance(tip.Batch);
            }
        }

        return cursor;
    }
}
