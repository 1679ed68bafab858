using Bft.Protocol.Membership;
using Bft.Wire.Frames;

namespace Bft.Client;

/// <summary>How far one subscription at one witness is, as the driver knows it.</summary>
internal sealed class SubscriptionLink(SubscriptionChannel channel, ulong chance, IReceiverOutputs outputs)
{
    private readonly RedialTimer _redial = new(chance);
    private long? _openedAt;

    /// <summary>At whom; null while nothing is dialled or open.</summary>
    public WitnessIndex? Witness { get; private set; }

    public bool IsOpen => _openedAt is not null;

    /// <summary>When it was opened, or last heard of. Unit: milliseconds.</summary>
    public long LastHeard { get; private set; }

    /// <summary>Nothing is open or dialled, and it is time to.</summary>
    public bool IsDue(long nowMs) => Witness is null && _redial.IsDue(nowMs);

    /// <summary>How long it has been open. Unit: milliseconds.</summary>
    public long AgeAt(long nowMs) => nowMs - (_openedAt ?? nowMs);

    public void Open(WitnessIndex witness, StartFrame start)
    {
        Witness = witness;
        outputs.Open(witness, start, channel);
    }

    public void OnOpened(long nowMs)
    {
        _openedAt = nowMs;
        LastHeard = nowMs;
    }

    public void OnHeard(long nowMs) => LastHeard = nowMs;

    /// <summary>We end it.</summary>
    public void Close(long nowMs)
    {
        outputs.Close(Witness!.Value, channel);
        OnClosed(nowMs);
    }

    /// <summary>It ended, or never began.</summary>
    public void OnClosed(long nowMs)
    {
        _redial.OnEnded(_openedAt, nowMs);
        Witness = null;
        _openedAt = null;
    }
}
