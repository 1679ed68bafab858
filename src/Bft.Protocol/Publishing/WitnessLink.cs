using Bft.Protocol.Membership;
using Bft.Protocol.Model;

namespace Bft.Protocol.Publishing;

/// <summary>What a publisher knows about one witness.</summary>
internal sealed class WitnessLink(WitnessIndex witness, PublisherOptions options)
{
    private BackOff _resend = new(options.ResendFirstTicks, options.ResendMaxTicks);
    private BackOff _handOver = new(options.HandOverTicks, options.ResendMaxTicks);

    public WitnessIndex Witness => witness;

    public bool IsConnected { get; set; }

    /// <summary>Highest slot that a verified tip of this witness showed; null when there is none.</summary>
    public Sequence? Tip { get; private set; }

    public bool IsResendDue(long now) => IsConnected && _resend.IsDue(now);

    public bool IsHandOverDue(long now) => IsConnected && _handOver.IsDue(now);

    /// <summary>P3: it acked something, or everything was just sent.</summary>
    public void OnProgress(long now) => _resend.Reset(now);

    public void OnResent(long now) => _resend.Postpone(now);

    public void OnHandedOver(long now) => _handOver.Postpone(now);

    public void OnConnected(long now)
    {
        IsConnected = true;
        _resend.Reset(now);
        _handOver.Reset(now);
    }

    public void OnTip(Sequence tip, long now)
    {
        if (Tip is null || Tip < tip)
        {
            Tip = tip;
            _handOver.Reset(now);
        }
    }
}
