using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Publishing;

/// <summary>P6: who says that this incarnation is retired or finds no place (W11), since something was last covered.</summary>
internal sealed class RetiredCalls(CommitteeSize size, int timeoutTicks)
{
    private WitnessSet _callers;
    private long _since;
    private RefusalReason _reason;

    public void Add(WitnessIndex witness, RefusalReason reason, long now)
    {
        _since = _callers.Count == 0 ? now : _since;
        _callers = _callers.With(witness);
        _reason = reason;
    }

    /// <summary>A quorum still takes our batches.</summary>
    public void OnCovered() => _callers = WitnessSet.Empty;

    /// <summary>f + 1 said so, or one did and nothing was covered within the time-out.</summary>
    public NewIncarnationNeeded? Verdict(long now) =>
        _callers.Count >= size.OneCorrect || (_callers.Count > 0 && _since + timeoutTicks <= now) ? new NewIncarnationNeeded(_reason) : null;
}
